exports.berths = 4
