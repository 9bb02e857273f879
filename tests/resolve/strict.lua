-- A strict stand-in for Resolve in Lua: it has the calls of the contract that the Lua adapter makes, and raises on others.
-- CONTRACT is put before it by the test: by kind and method, the least and the most arguments.

local ids, Stage = 0, { calls = {} }

local function object(kind, methods, fields)
  ids = ids + 1
  fields.unique = ("%08x-uid"):format(ids)
  methods.GetUniqueId = methods.GetUniqueId or function() return fields.unique end
  return setmetatable({ it = fields }, {
    __index = function(_, name)
      local known = CONTRACT[kind][name]
      if not known then error(kind .. "." .. tostring(name) .. " is not in the contract", 2) end
      return function(_, ...)
        local count = select("#", ...)
        if count < known[1] or count > known[2] then error(kind .. "." .. name .. " takes other arguments", 2) end
        Stage.calls[#Stage.calls + 1] = kind .. "." .. name
        if Stage.deaf == kind .. "." .. name then return true end
        if not methods[name] then error(kind .. "." .. name .. " is not played", 2) end
        return methods[name](...)
      end
    end,
  })
end

local MARKERS = {}
for name in ("Blue Cyan Green Yellow Red Pink Purple Fuchsia Rose Lavender Sky Mint Lemon Sand Cocoa Cream"):gmatch("%a+") do
  MARKERS[name] = true
end

local function marks(methods, fields)
  fields.marks = {}
  function methods.AddMarker(frame, colour, name, note, duration, data)
    if not MARKERS[colour] or frame ~= math.floor(frame) or fields.marks[frame] then return false end
    fields.marks[frame] = { color = colour, name = name, note = note, duration = duration, customData = data or "" }
    return true
  end
  function methods.GetMarkers()
    local found = {}
    for frame, mark in pairs(fields.marks) do found[frame] = mark end
    return found
  end
  function methods.DeleteMarkerByCustomData(data)
    for frame, mark in pairs(fields.marks) do
      if mark.customData == data then fields.marks[frame] = nil; return true end
    end
    return false
  end
  return methods
end

function Stage.clip(path)
  local fields = { path = path, metadata = {}, third = {} }
  local function put(into, key, value)
    if type(value) ~= "string" then return false end
    into[key] = value
    return true
  end
  return object("MediaPoolItem", marks({
    GetName = function() return path:match("[^/]+$") end,
    GetClipProperty = function(key) return ({ ["File Path"] = path, FPS = "24", Frames = "240" })[key] or "" end,
    GetMetadata = function(key) return fields.metadata[key] or "" end,
    SetMetadata = function(key, value) return put(fields.metadata, key, value) end,
    GetThirdPartyMetadata = function(key) return fields.third[key] or "" end,
    SetThirdPartyMetadata = function(key, value) return put(fields.third, key, value) end,
  }, fields), fields)
end

function Stage.item(clip, first, start, length)
  local fields = { start = start }
  return object("TimelineItem", {
    GetName = function() return "item" end, GetMediaPoolItem = function() return clip end,
    GetStart = function() return fields.start end, GetDuration = function() return length end,
    GetLeftOffset = function() return first end, GetSourceStartTime = function() return first / 24 end,
    GetSourceEndTime = function() return (first + length) / 24 end,
  }, fields)
end

function Stage.play(clips, items)
  local fields = { rendering = false, product = "DaVinci Resolve" }
  local function none() return {} end
  local folder = object("Folder", { GetClipList = function() return clips end, GetSubFolderList = none }, {})
  local timeline = object("Timeline", marks({
    GetStartFrame = function() return 86400 end, GetEndFrame = function() return 86400 + 600 end,
    GetSetting = function() return "24" end,
    GetTrackCount = function(kind) return kind == "video" and 1 or 0 end,
    GetItemListInTrack = function() return items end,
  }, fields), fields)
  local pool = object("MediaPool", { GetRootFolder = function() return folder end }, {})
  local project = object("Project", {
    GetName = function() return "Show" end, GetMediaPool = function() return pool end,
    GetCurrentTimeline = function() return timeline end, GetSetting = function() return "24" end,
    IsRenderingInProgress = function() return fields.rendering end,
  }, {})
  local manager = object("ProjectManager", { GetCurrentProject = function() return project end }, {})
  local resolve = object("Resolve", {
    GetProductName = function() return fields.product end, GetVersionString = function() return "21.1.0.1" end,
    GetProjectManager = function() return manager end,
  }, {})
  return resolve, timeline, fields
end

return Stage
