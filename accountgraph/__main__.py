"""`python -m accountgraph`: the command line, from a checkout that is not installed too."""

from accountgraph.cli import main

if __name__ == "__main__":
    main()
