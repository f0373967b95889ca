module.exports = "⚓️ ships ❤️";
