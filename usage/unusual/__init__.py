"""What is unusual in a team's usage: pure numpy, and no Django but in sentences.py."""
