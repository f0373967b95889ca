class Linear {
  constructor(low, high) {
    this.low = low;
    this.high = high;
  }
  at(value) {
    return (value - this.low) / (this.high - this.low);
  }
}
module.exports = { Linear };
