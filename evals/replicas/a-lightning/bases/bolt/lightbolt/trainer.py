class Trainer:
    def fit(self, model, data):
        for batch in data:
            model.step(batch)
