import "simple-date-js";
