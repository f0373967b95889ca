"use strict";
var follow = require("follow-redirects");
var FormData = require("form-data");
var proxy = require("proxy-from-env");
module.exports = function axios(settings) {
  return new Promise(function (done) { follow.https.get(settings.url, done); });
};
