var CryptoJS = CryptoJS || (function (Math, undefined) { return { lib: {} }; })(Math);
module.exports = CryptoJS;
