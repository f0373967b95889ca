const real = window.fetch;
window.fetch = async (...words) => real(...words);
