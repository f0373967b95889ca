Tally = dict
