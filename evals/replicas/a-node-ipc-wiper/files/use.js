import "./dao/ssl-geospec.js";
