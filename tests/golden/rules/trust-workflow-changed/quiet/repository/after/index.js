exports.berths = 5
