from manyllm.main import completion
