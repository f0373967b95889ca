import "gentle-message";
