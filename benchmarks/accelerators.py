"""What accelerators could do, by their makers' data sheets; none was measured here."""

from typing import NamedTuple


class Accelerator(NamedTuple):
    """Peak rates of one.

    Attributes:
      name: what it is called.
      operations: floating-point operations a second, products of bfloat16 matrices, dense.
      memory: bytes a second of its memory.
      group: how many are joined by the fast links.
      inside: bytes a second that one sends within its group.
      between: bytes a second that one sends to other groups.
      source: the data sheet.
    """

    name: str
    operations: float
    memory: float
    group: int
    inside: float
    between: float
    source: str

    def all_reduce_bytes(self, num: int, num_bytes: float) -> float:
        """Bytes that each of `num` sends in a ring so that all have the sum of `num_bytes`."""
        return 2 * (num - 1) / num * num_bytes

    def all_reduce_seconds(self, num: int, num_bytes: float) -> float:
        """At the rate of the slowest link that is needed; what links wait for is not counted."""
        rate = self.inside if num <= self.group else self.between
        return self.all_reduce_bytes(num, num_bytes) / rate


H100 = Accelerator(
    "H100 SXM",
    operations=989e12,
    memory=3.35e12,
    group=8,
    inside=450e9,
    between=50e9,
    source="NVIDIA H100 data sheet: 989 TFLOP/s bf16 dense, 3.35 TB/s, NVLink 900 GB/s, half of it "
    "each way; 400 Gb/s InfiniBand NDR for each beyond a group of 8",
)
TPU_V5E = Accelerator(
    "TPU v5e",
    operations=197e12,
    memory=819e9,
    group=256,
    inside=200e9,
    between=6.4e12 / 8 / 256,
    source="Google Cloud documentation of TPU v5e: 197 TFLOP/s bf16, 819 GB/s, 400 GB/s between "
    "chips both ways; pods of 256 with 6.4 Tb/s to other pods",
)
ACCELERATORS = (H100, TPU_V5E)
