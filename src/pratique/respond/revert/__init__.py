"""Steps that take listed releases out of projects and off machines."""
