"use strict";
class MotionPlayer extends HTMLElement {
  connectedCallback() {
    this.root = this.attachShadow({ mode: "open" });
    this.load(this.getAttribute("src"));
  }
  async load(source) {
    const answer = await fetch(source);
    this.animation = await answer.json();
    this.play();
  }
  play() {
    this.frame = requestAnimationFrame(() => this.play());
  }
  stop() {
    cancelAnimationFrame(this.frame);
  }
}
customElements.define("motion-player", MotionPlayer);
