"""A script's own host: says that a scene was saved, and takes tags for it. ``python example.py PROJECT SCENE``."""

import sys
import time

from callboard_bridge import Bridge

project, scene = sys.argv[1:3]
bridge = Bridge.for_project(project, "My Script", "1.0", ["tags.write"])
bridge.present(scene)
bridge.post("host.scene.saved", {"project": scene})
bridge.on_command(lambda command: bridge.receipt(command, "applied", command["content"]["tags"]))
while True:  # in an application: no loop, but poll() from a timer of its own
    bridge.poll()
    time.sleep(0.02)
