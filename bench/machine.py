"""What a result was measured on: every result says it."""

import os
import platform
import re
import time
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Return the date, the processor, the memory and the load, as Linux gives them."""
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text("utf-8"))
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text("utf-8"))
    return {
        "measured_at": time.strftime("%Y-%m-%d", time.gmtime()),
        "cores": os.cpu_count(),
        "cpu": model[1] if model else platform.machine(),
        "memory_gb": round(int(memory[1]) / 1e6, 1) if memory else None,
        "kernel": platform.release(),
        "load": round(os.getloadavg()[0], 2),
    }
