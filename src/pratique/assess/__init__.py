"""The judge: match, exposure, depth, verdict. Pure."""
