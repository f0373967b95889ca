{'targets': [{'target_name': 'harbour', 'sources': ['harbour.cc']}]}
