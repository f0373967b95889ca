TypedDict = dict
