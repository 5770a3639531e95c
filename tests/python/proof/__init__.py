"""Whether somebody with the public key alone, and none of our code, can verify what a server says it did."""
