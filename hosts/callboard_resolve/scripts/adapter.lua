-- The adapter for DaVinci Resolve in Lua, for editions that run no Python: keywords, descriptions and markers.
-- What it writes is what the Python adapter writes, so either takes the other's for its own. LuaJIT, Lua 5.1.

local M = {}

M.VERBS = { "tags.write", "description.write", "markers.write", "clear" }

local COLOURS = {}
for name in ("Blue Cyan Green Yellow Red Pink Purple Fuchsia Rose Lavender Sky Mint Lemon Sand Cocoa Cream"):gmatch("%a+") do
  COLOURS[name:lower()] = name
end
local NEAREST = {
  orange = "Yellow", white = "Cream", black = "Cocoa", brown = "Cocoa", grey = "Sand", gray = "Sand",
  magenta = "Fuchsia", violet = "Purple", teal = "Cyan", lime = "Mint", navy = "Blue",
}
local TAGS, DESCRIPTION = "callboard.tags", "callboard.description"
local OURS = { "callboard.captions", "callboard.id" }

function M.checksum(text)
  local total = 7
  for index = 1, #text do total = (total * 31 + text:byte(index)) % 4294967296 end
  return ("%08x"):format(total)
end

-- Gives the exact rate of "23.976", "29.97 DF" and the like; nil where there is none.
function M.rate_of(text)
  local rate = tonumber(tostring(text or ""):match("^%s*(%S+)"))
  if not rate or rate <= 0 or rate >= 1000 then return nil end
  local nominal = math.floor(rate + 0.5)
  local exact = nominal * 1000 / 1001
  if rate ~= nominal and math.abs(rate - exact) < 0.01 then return exact end
  return rate
end

local function round(number) return math.floor(number + 0.5) end

local function colour_of(name)
  name = tostring(name or ""):lower()
  return COLOURS[name] or NEAREST[name] or "Blue"
end

local function each(list)
  local index = 0
  return function() index = index + 1; return list and list[index] end
end

-- Sessions ---------------------------------------------------------------------------------------------------------

local Session = {}
Session.__index = Session

-- Takes the running Resolve; the product is asked for first, since a Studio call on the free edition blocks all others.
function M.session(resolve)
  local product = resolve:GetProductName()
  if not product or product == "" then return nil, "DaVinci Resolve does not answer" end
  return setmetatable({ resolve = resolve, product = product, version = resolve:GetVersionString() or "" }, Session)
end

function Session:project()
  local manager = self.resolve:GetProjectManager()
  return manager and manager:GetCurrentProject() or nil
end

function Session:project_name()
  local project = self:project()
  if not project then return "" end
  return ("%s [%s]"):format(project:GetName() or "", tostring(project:GetUniqueId() or ""):sub(1, 8))
end

function Session:timeline()
  local project = self:project()
  return project and project:GetCurrentTimeline() or nil
end

-- Gives all media, folder by folder.
function Session:clips()
  local project, found = self:project(), {}
  local waiting = project and { project:GetMediaPool():GetRootFolder() } or {}
  while #waiting > 0 do
    local folder = table.remove(waiting)
    for clip in each(folder:GetClipList()) do found[#found + 1] = clip end
    for below in each(folder:GetSubFolderList()) do waiting[#waiting + 1] = below end
  end
  return found
end

-- Gives what lies on the open timeline's video and audio tracks.
function Session:items()
  local timeline, found = self:timeline(), {}
  for _, kind in ipairs(timeline and { "video", "audio" } or {}) do
    for index = 1, timeline:GetTrackCount(kind) or 0 do
      for item in each(timeline:GetItemListInTrack(kind, index)) do found[#found + 1] = item end
    end
  end
  return found, timeline
end

function Session:rate(timeline)
  return M.rate_of(timeline:GetSetting("timelineFrameRate"))
    or M.rate_of(self:project():GetSetting("timelineFrameRate")) or 24
end

local function is_ours(clip)
  for _, key in ipairs(OURS) do
    local kept = clip:GetThirdPartyMetadata(key)
    if kept and kept ~= "" then return true end
  end
  return false
end

local function path_of(clip) return tostring(clip:GetClipProperty("File Path") or "") end

-- Describes what lies on a timeline; nil for titles, generators and transitions.
function Session:use_of(timeline, item)
  local clip = item:GetMediaPoolItem()
  local path = clip and path_of(clip) or ""
  if path == "" then return nil end
  local rate = self:rate(timeline)
  local length = item:GetDuration(false) / rate
  local start = (item:GetStart(false) - (timeline:GetStartFrame() or 0)) / rate
  local span, speed = (item:GetSourceEndTime() or 0) - (item:GetSourceStartTime() or 0), 1
  if length > 0 and span > 0 and math.abs(span - length) > 1.5 / rate then speed = round(span / length * 1e4) / 1e4 end
  local own = M.rate_of(clip:GetClipProperty("FPS")) or rate
  local source = (item:GetLeftOffset(false) or 0) / own * speed
  local what = ("%s|%.4f|%.4f|%.4f|%.4f"):format(timeline:GetUniqueId(), start, length, source, speed)
  return {
    ref = "item/" .. item:GetUniqueId(), path = path, name = item:GetName() or "", revision = M.checksum(what),
    start = start, source_in = source, duration = length, speed = speed,
  }, clip
end

-- Gives every use but those of what we made, as messages have them.
function Session:uses()
  local found, ours = {}, {}
  for _, clip in ipairs(self:clips()) do
    local unique, path = tostring(clip:GetUniqueId()), path_of(clip)
    if is_ours(clip) then ours[unique] = true
    elseif path ~= "" then found[#found + 1] = { ref = "pool/" .. unique, path = path, name = clip:GetName() or "" } end
  end
  local items, timeline = self:items()
  for _, item in ipairs(items) do
    local use, clip = self:use_of(timeline, item)
    if use and not ours[tostring(clip:GetUniqueId())] then found[#found + 1] = use end
  end
  return found
end

-- Finds a use by its name: its media, what it is now, and its timeline.
function Session:find(ref)
  local unique = ref:match("^pool/(.+)$")
  for _, clip in ipairs(unique and self:clips() or {}) do
    if tostring(clip:GetUniqueId()) == unique then return clip, { ref = ref, name = clip:GetName() or "" } end
  end
  unique = ref:match("^item/(.+)$")
  local items, timeline = self:items()
  for _, item in ipairs(unique and items or {}) do
    if tostring(item:GetUniqueId()) == unique then
      local use, clip = self:use_of(timeline, item)
      return clip, use, timeline
    end
  end
end

-- Labels -----------------------------------------------------------------------------------------------------------

local function split(text, mark)
  local found = {}
  for part in (text .. mark):gmatch("(.-)" .. mark) do found[#found + 1] = part end
  return found
end

local function carried(clip, key)
  local kept = {}
  for _, line in ipairs(split(tostring(clip:GetThirdPartyMetadata(key) or ""), "\n")) do
    local texts = split(line, "\t")
    local proposal = table.remove(texts, 1)
    if proposal ~= "" then kept[proposal] = texts end
  end
  return kept
end

local function carry(clip, key, kept)
  local names, lines = {}, {}
  for name in pairs(kept) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do lines[#lines + 1] = table.concat({ name, unpack(kept[name]) }, "\t") end
  clip:SetThirdPartyMetadata(key, table.concat(lines, "\n"))
end

function M.keywords(clip)
  local words = {}
  for _, word in ipairs(split(tostring(clip:GetMetadata("Keywords") or ""), ",")) do
    word = word:match("^%s*(.-)%s*$")
    if word ~= "" then words[#words + 1] = word end
  end
  return words
end

-- Gives a clip's keywords without those that a proposal added, but for those that another one added too.
local function without(clip, kept, proposal)
  local mine, others, words = {}, {}, {}
  for name, added in pairs(kept) do
    for _, word in ipairs(added) do (name == proposal and mine or others)[word] = true end
  end
  for _, word in ipairs(M.keywords(clip)) do
    if not mine[word] or others[word] then words[#words + 1] = word end
  end
  return words
end

local function write_tags(clip, proposal, tags, out)
  local kept = carried(clip, TAGS)
  local words, known, added, wanted = without(clip, kept, proposal), {}, {}, {}
  for _, word in ipairs(words) do known[word:lower()] = true end
  for _, tag in ipairs(tags) do
    local word = tag:gsub(",", " "):gsub("%s+", " "):match("^%s*(.-)%s*$")
    wanted[#wanted + 1] = word
    if word ~= "" and not known[word:lower()] then
      known[word:lower()] = true
      words[#words + 1], added[#added + 1] = word, word
    end
  end
  clip:SetMetadata("Keywords", table.concat(words, ", "))
  local there = {}
  for _, word in ipairs(M.keywords(clip)) do there[word:lower()] = true end
  for _, word in ipairs(wanted) do
    if there[word:lower()] then out.landed[#out.landed + 1] = word
    else out.missing[#out.missing + 1] = word .. ": Resolve did not keep the keyword" end
  end
  kept[proposal] = added
  carry(clip, TAGS, kept)
end

local function write_description(clip, proposal, text, out)
  local now, ours = tostring(clip:GetMetadata("Description") or ""), false
  for _, sums in pairs(carried(clip, DESCRIPTION)) do ours = ours or sums[1] == M.checksum(now) end
  if now:match("%S") and not ours then
    out.missing[1] = "Description: kept, because a person wrote one"
    return
  end
  clip:SetMetadata("Description", text)
  if tostring(clip:GetMetadata("Description") or "") ~= text then
    out.missing[1] = "Description: Resolve did not keep it"
    return
  end
  carry(clip, DESCRIPTION, { [proposal] = { M.checksum(text) } })
  out.landed[1] = "Description"
end

local function clear_labels(clip, proposal, out)
  local kept = carried(clip, TAGS)
  if kept[proposal] then
    clip:SetMetadata("Keywords", table.concat(without(clip, kept, proposal), ", "))
    kept[proposal] = nil
    carry(clip, TAGS, kept)
  end
  kept = carried(clip, DESCRIPTION)
  if kept[proposal] then
    if M.checksum(tostring(clip:GetMetadata("Description") or "")) == kept[proposal][1] then
      clip:SetMetadata("Description", "")
    else
      out.note = "the description was kept: a person changed it"
    end
    kept[proposal] = nil
    carry(clip, DESCRIPTION, kept)
  end
end

-- Markers ----------------------------------------------------------------------------------------------------------

local function mark_of(colour, name, note, length)
  return M.checksum(("%s\n%s\n%s\n%d"):format(colour, name, note, length))
end

local function present(target)
  local found = {}
  for frame, info in pairs(target:GetMarkers() or {}) do
    if tonumber(frame) then found[math.floor(tonumber(frame))] = info end
  end
  return found
end

-- Takes away a proposal's markers, but for those that a person changed; gives the numbers of these.
local function clear_markers(target, proposal, place, out)
  local edited, start = {}, "callboard:" .. proposal .. ":"
  local begins = place and start .. M.checksum(place) .. ":" or start
  for _, info in pairs(present(target)) do
    local data = tostring(info.customData or "")
    if data:sub(1, #begins) == begins then
      local number, mark = data:sub(#start + 1):match("^%x+:(%d+):(%x+)$")
      if number and mark ~= mark_of(info.color, info.name, info.note, info.duration) then
        edited[tonumber(number)] = true
        out.note = "markers that a person changed were kept"
      elseif number and not target:DeleteMarkerByCustomData(data) then
        out.missing[#out.missing + 1] = info.name .. ": the marker from before could not be removed"
      end
    end
  end
  return edited
end

local function write_marker(target, marker, id, last, reach, out)
  local taken, frame = present(target), nil
  for one = marker.frame, marker.frame + reach do
    if not taken[one] then frame = one; break end
  end
  if not frame or frame < 0 or frame > math.max(last, 0) then
    out.missing[#out.missing + 1] = ("%s: frame %d is not free or not there"):format(marker.name, marker.frame)
    return
  end
  local data = id .. mark_of(marker.colour, marker.name, marker.note, marker.length)
  target:AddMarker(frame, marker.colour, marker.name, marker.note, marker.length, data)
  local there = present(target)[frame]
  if not there or there.customData ~= data then
    out.missing[#out.missing + 1] = ("%s: Resolve put no marker at frame %d"):format(marker.name, frame)
    return
  end
  local late = frame - marker.frame
  local count = late == 1 and "1 frame" or late .. " frames"
  local said = late > 0 and (" (%s later: its frame was taken)"):format(count) or ""
  out.landed[#out.landed + 1] = marker.name .. said
end

local function write_markers(target, proposal, ref, wanted, last, reach, out)
  local edited = clear_markers(target, proposal, ref, out)
  for index, marker in ipairs(wanted) do
    local id = ("callboard:%s:%s:%d:"):format(proposal, M.checksum(ref), index - 1)
    if not edited[index - 1] then write_marker(target, marker, id, last, reach, out) end
  end
end

-- Puts markers of media where a use of it lies; those that it does not show are left out.
local function placed(given, use, rate)
  local wanted, beyond = {}, 0
  local start, length, speed = use.start or 0, use.duration, use.speed or 1
  for _, one in ipairs(given) do
    local at = start + (one.start - (use.source_in or 0)) / speed
    if not length or (at >= start and at < start + length) then
      wanted[#wanted + 1] = {
        frame = round(at * rate), name = one.name or "", note = one.note or "", colour = colour_of(one.colour),
        length = math.max(1, round((one.duration or 0) / speed * rate)),
      }
    else
      beyond = beyond + 1
    end
  end
  return wanted, beyond
end

-- Commands ---------------------------------------------------------------------------------------------------------

local DOES = {}

DOES["tags.write"] = function(_, command, clip, _, _, out)
  write_tags(clip, command.proposal, command.content.tags or {}, out)
end

DOES["description.write"] = function(_, command, clip, _, _, out)
  write_description(clip, command.proposal, command.content.description or "", out)
end

DOES["markers.write"] = function(session, command, clip, use, timeline, out)
  local given = command.content.markers or {}
  if timeline then
    local rate = session:rate(timeline)
    local wanted, beyond = placed(given, use, rate)
    local last = (timeline:GetEndFrame() or 0) - (timeline:GetStartFrame() or 0)
    write_markers(timeline, command.proposal, use.ref, wanted, last, round(rate), out)
    if beyond > 0 then out.note = ("%d of %d markers lie outside the part that is used"):format(beyond, #given) end
  else
    local rate = M.rate_of(clip:GetClipProperty("FPS")) or 24
    local last = tonumber(clip:GetClipProperty("Frames")) or 2147483647
    write_markers(clip, command.proposal, use.ref, placed(given, {}, rate), last, round(rate), out)
  end
end

local function clear(session, proposal, out)
  local timeline = session:timeline()
  if timeline then clear_markers(timeline, proposal, nil, out) end
  for _, clip in ipairs(session:clips()) do
    clear_markers(clip, proposal, nil, out)
    clear_labels(clip, proposal, out)
  end
end

local function done(session, command, agreed)
  local out = { landed = {}, missing = {}, note = "" }
  local now = session:project_name()
  if command.project and command.project ~= "" and command.project ~= now then
    return "refused", {}, {}, ("it is for %s, and %s is open"):format(command.project, now == "" and "no project" or now)
  end
  command.content = command.content or {}
  if command.verb == "clear" then
    clear(session, command.proposal, out)
  else
    local work = DOES[command.verb]
    if not work then return "refused", {}, {}, "Resolve's Lua is not asked for " .. tostring(command.verb) end
    local ref = command.use and command.use.ref or ""
    local clip, use, timeline = session:find(ref)
    if not clip then return "refused", {}, {}, ref .. " is not in the open project, or on another timeline" end
    local made_for = command.revision or ""
    if made_for ~= "" and (use.revision or "") ~= "" and use.revision ~= made_for and not agreed then
      return "stale", {}, {}, use.name .. " was moved or cut since"
    end
    work(session, command, clip, use, timeline, out)
  end
  local state = #out.missing == 0 and "applied" or #out.landed > 0 and "partial" or "failed"
  return state, out.landed, out.missing, out.note
end

-- Does what a command asks, and gives the state of a receipt, what landed, what is missing and a note; never raises.
function M.apply(session, command, agreed)
  local well, state, landed, missing, note = pcall(done, session, command, agreed)
  if well then return state, landed, missing, note end
  return "failed", {}, {}, tostring(state)
end

return M
