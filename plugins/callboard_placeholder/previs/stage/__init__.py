"""What runs inside Blender: builds the planned scene, saves it, renders it. Standard library and ``bpy`` alone."""
