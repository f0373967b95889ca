from lightbolt.trainer import Trainer
