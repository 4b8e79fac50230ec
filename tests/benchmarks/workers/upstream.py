"""The sandbox upstream in a process of its own, so that it does not share our interpreter lock.

Prints its URL, and ends when standard input does.
"""

import sys

from serving.sandbox import Sandbox

if __name__ == "__main__":
    with Sandbox.start(remember=0) as sandbox:
        print(sandbox.url, flush=True)
        sys.stdin.read()
