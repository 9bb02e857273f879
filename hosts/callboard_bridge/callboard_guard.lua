-- What a command may be: a verb of a fixed list, and paths inside folders that people named.
-- SPDX-License-Identifier: Apache-2.0
local sockets = require("callboard_socket")
local M = {}
local VERBS = {}
local ALL = "tags.write description.write markers.write subtitles.write placeholder.insert relink clear"
for verb in ALL:gmatch("%S+") do VERBS[verb] = true end
local SHAPES = {
  tags = "table", description = "string", author = "string", cues = "table", language = "string", markers = "table",
  file = "string", digest = "string", gap = "table",
}
local MAX_PATHS, MAX_DEPTH = 8, 128
M.VERBS, M.SHAPES = VERBS, SHAPES

local function inside(path, folder)
  if path == "" or folder == "" then return false end
  folder = folder:gsub("(.)/$", "%1")
  if path == folder then return true end
  local start = folder == "/" and "/" or folder .. "/"
  local below = ("/" .. path:sub(#start + 1) .. "/"):lower()
  return path:sub(1, #start) == start and not below:find("/.callboard/", 1, true)
end

-- Says whether a path, with its links followed, is inside the roots or the folder of the open project.
function M.allowed(path, roots, project)
  if type(path) ~= "string" or not sockets.is_absolute(path) or path:find("%z") then return false end
  if select(2, path:gsub("[/\\]", "")) > MAX_DEPTH then return false end
  local real = sockets.real(path)
  for _, folder in ipairs(roots) do
    if inside(real, sockets.real(folder)) then return true end
  end
  local folder = sockets.is_absolute(project) and project:match("^(.+)[/\\]") or ""
  return folder ~= "" and folder:find("[/\\].*[^/\\]") ~= nil and inside(real, sockets.real(folder))
end

local function paths_in(value, found) -- whatever looks like a path
  if type(value) == "table" then
    for key, one in pairs(value) do paths_in(key, found); paths_in(one, found) end
  elseif type(value) == "string" and (value:find("^[/\\~]") or value:find("^.:") or value:find("://", 1, true)
      or value:find("^file:") or ("/" .. value:gsub("\\", "/") .. "/"):find("/../", 1, true)) then
    found[#found + 1] = value
  end
  return found
end

-- Says why a command is refused, or nil; self is the bridge.
function M.objection(self, command)
  if not VERBS[command.verb] then return "no host does '" .. tostring(command.verb):sub(1, 60) .. "'" end
  if not self.takes[command.verb] then return self.host .. " does not do " .. command.verb end
  local expires = command.expires or 0
  if type(expires) ~= "number" or (expires > 0 and expires < os.time()) then return "it came too late" end
  if type(command.proposal) ~= "string" or command.proposal == "" then return "it names no proposal" end
  for _, name in ipairs({ "use", "content", "arguments" }) do
    if command[name] ~= nil and type(command[name]) ~= "table" then return "its " .. name .. " cannot be read" end
  end
  for name, value in pairs(command.content or {}) do
    if SHAPES[name] and type(value) ~= SHAPES[name] then return "its " .. name .. " cannot be read" end
  end
  local paths = paths_in(command.arguments, {})
  for _, path in ipairs({ (command.content or {}).file or "", (command.use or {}).path or "" }) do
    if path ~= "" then paths[#paths + 1] = path end
  end
  if #paths > MAX_PATHS then return "it names too many paths" end
  for _, path in ipairs(paths) do
    if not M.allowed(path, self.roots, self.project) then
      return "'" .. tostring(path):sub(1, 200) .. "' is outside the watched folders and the project"
    end
  end
end

return M
