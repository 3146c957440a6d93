"""How it is learnt: one module per DVC stage, then the commands that act on versions.

Importing this package pins the numeric kernels, so that it must come before numpy does.
"""

from models.kernels import pin_kernels

pin_kernels()
