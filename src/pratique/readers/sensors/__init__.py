"""Records of other sensors, one JSON object a line, as events: so that one set of rules serves all of them."""
