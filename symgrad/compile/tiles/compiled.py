"""How numba compiles what loops call."""

from __future__ import annotations

from numba import njit

# A loop over tiles: sums may be added in another order, so that they vectorise.
loop = njit(error_model="numpy", fastmath={"reassoc", "contract"}, nogil=True)
# The same for what is compiled once for a machine.
kernel = njit(error_model="numpy", fastmath={"reassoc", "contract"}, nogil=True, cache=True)
# A function of a number: kept as it is written, and always put where it is called, so that the loop there vectorises.
exact = njit(error_model="numpy", fastmath={"contract"}, nogil=True, forceinline=True)
