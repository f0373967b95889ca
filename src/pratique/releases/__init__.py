"""The microscope: what a release is made of, what it changes, and what that means; pure, it runs nothing it reads."""
