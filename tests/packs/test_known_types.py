"""Types that many threads of a fresh process decode by at the same moment."""

from __future__ import annotations

import subprocess
import sys
import textwrap

SCRIPT = textwrap.dedent(
    """
    import sys, threading
    sys.setswitchinterval(1e-6)
    from callboard import glossary, packs, vocabulary
    from callboard.glossary import reading as terms
    from callboard.packs import plugin_packages
    from callboard.vocabulary import reading as words
    from callboard_autotag.sights import film_sights

    files = [path for _, folder in plugin_packages() for path in sorted((folder / "models").glob("*.toml"))]
    gate, read = threading.Barrier(4), []

    def meet():
        gate.wait()
        found = [packs.read_pack(path).problem for path in files]
        words.parse('[[concepts]]\\nid = "sea"\\nlabel = "sea"\\n')
        terms.parse('[[term]]\\ntext = "Torvald Ekberg"\\n')
        read.append((found, len(film_sights()) > 0))

    threads = [threading.Thread(target=meet) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read == [([""] * len(files), True)] * 4, read
    """
)


def test_threads_that_meet_a_type_at_the_same_moment_read_it() -> None:
    """Four threads of a process that has read no pack, vocabulary or glossary yet all read them, and it lives on."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
