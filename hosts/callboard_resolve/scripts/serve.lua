-- What the Lua menu script does: connects this Resolve with a Callboard project, and serves it until it is closed.

local adapter = require("callboard_adapter")
local bridges = require("callboard_bridge")
local json = require("callboard_json")

local M = {}
local LOOK, COUNT, FRESH, PAGE = 1, 5, 10, 32 * 1024

local Service = {}
Service.__index = Service

-- Gives a service for the running Resolve; nil and why not where it does not answer.
function M.service(resolve, project, say)
  local session, problem = adapter.session(resolve)
  if not session then return nil, problem end
  local version = session.version .. (session.product:find("Studio") and " Studio" or " free")
  local self = setmetatable({
    session = session, folder = project .. "/.callboard/resolve", say = say, told = "", project = "", sent = "",
    look_at = 0, count_at = 0, rendering = false, stopped = false,
    bridge = bridges.for_project(project, "Resolve", version, adapter.VERBS),
  }, Service)
  self.bridge:on_command(function(command) self:command(command) end)
  return self
end

function Service:command(command)
  local state, landed, missing, note = adapter.apply(self.session, command)
  self.say(("Callboard: %s: %s%s"):format(command.verb, state, note ~= "" and ": " .. note or ""))
  self.bridge:receipt(command, state, landed, missing, note)
end

-- Does what is due; now is in seconds.
function Service:tick(now)
  self.bridge:poll()
  local state = self.bridge:state()
  if state ~= "online" and self.bridge.problem ~= "" then state = self.bridge.problem end
  if state ~= self.told then
    self.told = state
    self.say("Callboard: " .. state)
  end
  if now < self.look_at then return end
  self.look_at = now + LOOK
  local well, problem = pcall(self.look, self, now)
  if not well then self.say("Callboard: " .. tostring(problem)) end
end

function Service:look(now)
  if not self.session.resolve:GetProductName() then
    self.say("Callboard: Resolve is closed")
    self.stopped = true
    return
  end
  if self:asked_to_stop() then
    self.say("Callboard: disconnected")
    self.stopped = true
    return
  end
  local name = self.session:project_name()
  if name ~= self.project then
    self.project, self.sent, self.count_at = name, "", now
    self.bridge:present(name, "")
    if name ~= "" then self.bridge:post("host.scene.loaded", { project = name }) end
  end
  if name == "" then return end
  self:render()
  if now >= self.count_at then
    self.count_at = now + COUNT
    self:tell_uses()
  end
end

function Service:render()
  local busy = self.session:project():IsRenderingInProgress() and true or false
  if busy ~= self.rendering then
    self.rendering = busy
    self.bridge:post(busy and "host.render.started" or "host.render.ended", { project = self.project })
  end
end

local function pages_of(uses)
  local pages, size = { {} }, 0
  for _, use in ipairs(uses) do
    local length = #(json.encode(use) or "")
    if size + length > PAGE and #pages[#pages] > 0 then pages[#pages + 1], size = {}, 0 end
    table.insert(pages[#pages], use)
    size = size + length
  end
  if #uses == 0 then pages[1] = json.array({}) end
  return pages
end

function Service:tell_uses()
  local uses, lines = self.session:uses(), {}
  for _, use in ipairs(uses) do lines[#lines + 1] = use.ref .. " " .. use.path .. " " .. (use.revision or "") end
  local revision = adapter.checksum(table.concat(lines, "\n"))
  if self.sent == self.project .. revision then return end
  self.sent = self.project .. revision
  self.bridge:present(self.project, revision)
  local pages = pages_of(uses)
  for page, found in ipairs(pages) do
    local told = { host = self.bridge.host, project = self.project, uses = found, page = page - 1, pages = #pages }
    self.bridge:ask("uses", told, function(_, problem)
      if problem ~= "" then self.sent = "" end
    end)
  end
end

-- Menu scripts -----------------------------------------------------------------------------------------------------

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

local function write(path, text)
  local file = io.open(path, "wb")
  if not file then return end
  file:write(text)
  file:close()
end

function Service:asked_to_stop()
  write(self.folder .. "/running-lua", tostring(os.time()))
  local asked = read(self.folder .. "/stop-lua")
  os.remove(self.folder .. "/stop-lua")
  return asked ~= nil
end

-- Serves until Resolve is closed or the entry is chosen once more; wait is how the script sleeps.
function M.main(resolve, project, say, wait)
  local folder = project .. "/.callboard/resolve"
  if os.time() - (tonumber(read(folder .. "/running-lua") or "") or 0) < FRESH then
    write(folder .. "/stop-lua", "stop")
    say("Callboard: disconnecting")
    return
  end
  os.remove(folder .. "/stop-lua")
  local service, problem = M.service(resolve, project, say)
  if not service then return say("Callboard: " .. problem) end
  local began = os.time()
  local ticks = 0
  while not service.stopped do
    -- os.time has whole seconds; in between the naps are counted
    service:tick(math.max(os.time() - began, ticks * 0.05))
    ticks = ticks + 1
    wait(0.05)
  end
  os.remove(folder .. "/running-lua")
  service.bridge:close()
end

return M
