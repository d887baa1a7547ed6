"""How many earlier frames a decoder has to keep, as the sequence parameter set of H.264 and HEVC announces it.

FFmpeg keeps as many as announced, also where the standards allow fewer for pictures of that size, and PyAV doesn't give
the number. Read is what stands before it: ITU-T H.264, 7.3.2.1.1, and H.265, 7.3.2.2.
"""

from __future__ import annotations

from collections.abc import Iterator

_MAX_BYTES = 1024
"""Most bytes of a parameter set that are looked at; usual ones have 40."""
_HIGH_PROFILES = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)


def reference_frames(codec: str, extradata: bytes | None) -> int:
    """Return the largest number that ``extradata`` announces; 0 for other codecs and where nothing can be read."""
    most = 0
    for unit in _units(codec, extradata or b""):
        try:
            if codec == "h264" and unit[0] & 0x1F == 7:
                most = max(most, _h264(_Bits(unit[1:])))
            elif codec == "hevc" and unit[0] >> 1 & 0x3F == 33:
                most = max(most, _hevc(_Bits(unit[2:])))
        except (IndexError, ValueError):  # ends too early: decoding will say what is wrong with it
            continue
    return most


def _units(codec: str, extradata: bytes) -> Iterator[bytes]:
    """Yield the NAL units of ``avcC``, of ``hvcC`` (ISO/IEC 14496-15), or between start codes."""
    if extradata[:1] != b"\1":
        yield from (unit for unit in extradata.split(b"\0\0\1") if unit)
        return
    at, arrays = (5, 1) if codec == "h264" else (23, extradata[22] if len(extradata) > 22 else 0)
    for _ in range(arrays):
        first = int.from_bytes(extradata[at : at + 1])
        count = int.from_bytes(extradata[at + 1 : at + 3], "big") if codec == "hevc" else first & 0x1F
        at += 3 if codec == "hevc" else 1
        for _ in range(min(count, 32)):
            length = int.from_bytes(extradata[at : at + 2], "big")
            if length:
                yield extradata[at + 2 : at + 2 + length]
            at += 2 + length
        if at >= len(extradata):
            return


class _Bits:
    """Reads a unit's bits from the left, without the bytes that keep start codes out."""

    def __init__(self, unit: bytes) -> None:
        payload = unit[:_MAX_BYTES].replace(b"\0\0\3", b"\0\0")
        self._bits = "".join(f"{byte:08b}" for byte in payload)
        self._at = 0

    def number(self, width: int = 1) -> int:
        self._at += width
        if self._at > len(self._bits):
            raise IndexError("the unit ends here")
        return int(self._bits[self._at - width : self._at], 2)

    def unsigned(self) -> int:
        """Return an Exp-Golomb number."""
        zeros = self._bits.index("1", self._at) - self._at
        self._at += zeros
        return self.number(zeros + 1) - 1

    def signed(self) -> int:
        value = self.unsigned()
        return (value + 1) // 2 if value % 2 else -(value // 2)


def _h264(bits: _Bits) -> int:
    profile, _ = bits.number(8), bits.number(16)
    bits.unsigned()
    if profile in _HIGH_PROFILES:
        _skip_high(bits)
    bits.unsigned()
    order = bits.unsigned()
    if order == 0:
        bits.unsigned()
    elif order == 1:
        bits.number()
        for _ in range(2):
            bits.signed()
        for _ in range(bits.unsigned()):
            bits.signed()
    return bits.unsigned()


def _skip_high(bits: _Bits) -> None:
    """Skip chroma format, depths and scaling lists."""
    chroma = bits.unsigned()
    if chroma == 3:
        bits.number()
    for _ in range(2):
        bits.unsigned()
    bits.number()
    if not bits.number():
        return
    for number in range(12 if chroma == 3 else 8):
        following = 8 if bits.number() else 0
        last = 8
        for _ in range(16 if number < 6 else 64):
            if following:
                following = (last + bits.signed()) % 256
                last = following or last


def _hevc(bits: _Bits) -> int:
    bits.number(4)
    layers = bits.number(3)
    bits.number(1 + 88 + 8)
    present = [(bits.number(), bits.number()) for _ in range(layers)]
    if layers:
        bits.number(2 * (8 - layers))
    for has_profile, has_level in present:
        if has_profile:
            bits.number(88)
        if has_level:
            bits.number(8)
    bits.unsigned()
    if bits.unsigned() == 3:
        bits.number()
    for _ in range(2):  # width and height
        bits.unsigned()
    for _ in range(3 + 4 * bits.number()):  # what is cropped, depths and the order count's length
        bits.unsigned()
    counts = []
    for _ in range(layers + 1 if bits.number() else 1):
        counts.append(bits.unsigned())
        for _ in range(2):
            bits.unsigned()
    return max(counts)
