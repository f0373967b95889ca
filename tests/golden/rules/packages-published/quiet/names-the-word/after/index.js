// see the page on how to publish
module.exports = "publish";
