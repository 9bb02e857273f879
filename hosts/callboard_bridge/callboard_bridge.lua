-- The bridge between an application and Callboard for LuaJIT scripts, as DaVinci Resolve runs them. It does what the
-- Python bridge does, but for TLS and host names: the board of the same machine needs neither. Nothing in it waits.
--
--   local callboard = require("callboard_bridge")
--   local bridge = callboard.for_project("/films/one", "DaVinci Resolve", "20.3", { "markers.write" })
--   bridge:on_command(function(command) bridge:receipt(command, "applied", { "marker 1" }) end)
--   while window_is_open() do bridge:poll() ... end
--
-- Tried on Linux; macOS has the same calls, and the ones of Windows were never run. SPDX-License-Identifier: Apache-2.0
local sockets, json = require("callboard_socket"), require("callboard_json")
local guard = require("callboard_guard")
local M, Bridge = {}, {}
Bridge.__index = Bridge

local MAX_LINE, MAX_PAYLOAD, MAX_EVENT, MAX_QUEUE = 32768, 80 * 1024, 60 * 1024, 8 * 1024 * 1024
local MAX_PARTS, WINDOW, ROOM, UNREAD = 64, 256, 65536, 262144
local LOGIN, SILENT, TICK, PRESENCE, PING, HELLO, ACK = 10, 30, 0.05, 5, 15, 2, 10
local STATES = {}
for state in ("applied partial refused stale failed"):gmatch("%S+") do STATES[state] = true end
local NOBODY = "the board does not answer: is 'callboard up' running?"

local function slug(name)
  name = name:lower():gsub("[^a-z0-9]+", "-"):gsub("^%-+", ""):gsub("%-+$", ""):sub(1, 48)
  return name ~= "" and name or "host"
end

local function call(callback, ...) -- a callback's failure ends neither the others nor the application
  local well, problem = pcall(callback, ...)
  if not well then io.stderr:write("callboard: ", tostring(problem), "\n") end
  return not well and tostring(problem):sub(1, 500) or nil
end

-- What is asked of us ------------------------------------------------------------------------------------------------

function Bridge:allowed(path) -- inside the roots or the open project's folder, with links followed
  return guard.allowed(path, self.roots, self.project)
end

local function hand(self, command)
  local problem = guard.objection(self, command)
  if problem then return self:receipt(command, "refused", nil, nil, problem) end
  for name in pairs(command.content or {}) do
    if not guard.SHAPES[name] then command.content[name] = nil end
  end
  local failure = call(self.callback, command)
  if failure then self:receipt(command, "failed", nil, nil, failure) end
end

local function fetch(self, command, texts)
  self:ask("body", { command = command.id, part = #texts }, function(value, problem)
    local text = type(value) == "table" and value.text
    if problem ~= "" or type(text) ~= "string" or #text > MAX_PAYLOAD then
      self.known[command.id] = nil -- it is posted again at the next hello
      return
    end
    texts[#texts + 1] = text
    if #texts < command.parts then return fetch(self, command, texts) end
    command.content = json.decode(table.concat(texts))
    if type(command.content) ~= "table" then
      return self:receipt(command, "refused", nil, nil, "the content cannot be read")
    end
    hand(self, command)
  end)
end

local function ordered(self, body)
  local event = body and json.decode(body)
  local command = type(event) == "table" and event.type == "host.command" and event.data
  if not self.callback or type(command) ~= "table" or type(command.id) ~= "string" then return end
  if command.host ~= self.host then return end
  local project = command.project or ""
  if #command.id > 256 or (project ~= "" and project ~= self.project) or self.known[command.id] then return end
  self.known[command.id] = "handed"
  local problem = guard.objection(self, command)
  if problem or command.content or not command.parts then return hand(self, command) end
  if type(command.parts) ~= "number" or command.parts < 1 or command.parts > MAX_PARTS then
    return self:receipt(command, "refused", nil, nil, "its content has too many parts")
  end
  fetch(self, command, {})
end

-- What we say --------------------------------------------------------------------------------------------------------

local function envelope(self, kind, data, subject)
  data.host = self.host
  return {
    specversion = "1.0", id = sockets.random(16), source = "urn:callboard:host:" .. self.host, type = kind,
    time = os.date("!%Y-%m-%dT%H:%M:%SZ"), datacontenttype = "application/json", data = data,
    subject = subject ~= "" and subject or nil,
  }
end

local function send(self, subject, body, reply, ident)
  local head = subject .. " " .. (reply and reply .. " " or "")
  local headers = ident and "NATS/1.0\r\nNats-Msg-Id: " .. ident .. "\r\n\r\n"
  if headers then
    local sizes = #headers .. " " .. #headers + #body
    self.unsent = self.unsent .. "HPUB " .. head .. sizes .. "\r\n" .. headers .. body .. "\r\n"
  else
    self.unsent = self.unsent .. "PUB " .. head .. #body .. "\r\n" .. body .. "\r\n"
  end
end

function Bridge:post(kind, data, subject) -- keeps an event until the board has it; gives its id, or "" and why not
  local well, event = pcall(envelope, self, kind, data, subject or "")
  local line = well and json.encode(event)
  if not line or #line > MAX_EVENT or type(kind) ~= "string" or not kind:find("^host%.[a-z0-9_.]+$") then
    return "", "an event cannot be written as JSON, is longer than 60 KiB or none of a host's"
  end
  if self.closed or self.queued + #line > MAX_QUEUE then return "", "too many events wait: new ones are lost" end
  if not self.file then self.file = sockets.spool(self.outbox, slug(self.application)) end
  if self.file then self.file:append(line) end
  self.last = self.last + 1
  self.queue[self.last] = { id = event.id, kind = kind, line = line }
  self.queued = self.queued + #line
  return event.id
end

function Bridge:pending() -- events that the board has not taken yet
  local count = 0
  for _ in pairs(self.queue) do count = count + 1 end
  return count
end

function Bridge:receipt(command, state, landed, missing, note)
  local said = { command = command.id, state = STATES[state] and state or "failed" }
  said.note = tostring(note or ""):sub(1, 2000)
  said.landed, said.missing = json.array(landed), json.array(missing)
  said.proposal = type(command.proposal) == "string" and command.proposal or nil
  said.project = self.project ~= "" and self.project or nil
  local ident, problem = self:post("host.receipt", said, said.proposal or "")
  if ident ~= "" and self.known[command.id] then self.known[command.id] = "settled" end
  return ident, problem
end

function Bridge:ask(verb, data, callback, timeout) -- callback(value, problem) is called once, from poll
  self.number = self.number + 1
  local body, deadline = json.encode(data), sockets.now() + (timeout or 5)
  if not body or #body > MAX_EVENT or not verb:find("^[a-z_]+$") then
    body, deadline = nil, 0 -- the next tick says so
  end
  self.asked[self.number] = { verb = verb, body = body, callback = callback, deadline = deadline }
end

function Bridge:present(project, revision)
  project = project or ""
  if project ~= self.project then
    self.greeted, self.hello_at, self.tick_at, self.turn = false, 0, 0, self.turn + 1
    for ident, state in pairs(self.known) do
      if state ~= "settled" then self.known[ident] = nil end
    end
  end
  self.project, self.revision, self.tell_at = project, revision or "", 0
end

function Bridge:on_command(callback) -- callback(command): whole, its verb and paths checked
  if not self.callback then self.hello_at, self.greeted = 0, false end
  self.callback = callback
end

local function presence(self, state)
  return { host = self.host, application = self.application, version = self.version, state = state,
    capabilities = json.array(self.capabilities), project = self.project, revision = self.revision }
end

local function tell(self, state)
  send(self, "cb.now.host.presence", json.encode(envelope(self, "host.presence", presence(self, state))))
end

local function greet(self, now)
  local turn, greeted = self.turn, self.greeted
  self.hello_at = now + 6
  self:ask(greeted and "ping" or "hello", greeted and json.object() or presence(self, "online"), function(_, problem)
    if turn ~= self.turn then return end
    self.greeted, self.problem = problem == "", problem
    self.hello_at = sockets.now() + (problem == "" and PING or HELLO)
  end)
end

-- The connection -----------------------------------------------------------------------------------------------------

local function give_up(self, why) -- a callback may ask anew, so those that get no answer are found first
  local gone = {}
  for number, question in pairs(self.asked) do
    local problem = why(question)
    if problem then gone[number] = problem end
  end
  for number, problem in pairs(gone) do
    local question = self.asked[number]
    self.asked[number] = nil
    call(question.callback, nil, problem)
  end
end

local function drop(self, problem)
  if self.socket then sockets.close(self.socket) end
  self.socket, self.stage, self.signing, self.greeted = nil, "closed", nil, false
  self.unsent, self.unread, self.skip, self.at = "", "", 0, 1
  self.problem, self.turn, self.sent_to = problem, self.turn + 1, self.first - 1
  self.retry_at, self.wait = sockets.now() + self.wait, math.min(self.wait * 2, 5)
  give_up(self, function(question) return question.sent and "the connection was lost before the answer" end)
end

local function find(self) -- where the board is, and who we are there; or nil and why not
  local where = self.where
  if self.folder then
    local board = json.decode(sockets.read(self.folder .. "/.callboard/nats/board.json", 65536) or "")
    if type(board) ~= "table" then
      return nil, "Callboard is not running for " .. self.folder .. ": start it with 'callboard up' there"
    end
    where = { url = tostring(board.url), seed = sockets.read(self.folder .. "/.callboard/keys/host.nk", 256) }
    self.roots = type(board.roots) == "table" and board.roots or {}
  end
  local host, port = where.url:match("^nats://([%d.]+):(%d+)$")
  if not host then return nil, "the server's address is not nats:// with figures and a port" end
  return where, nil, host, tonumber(port)
end

local function connect(self, now)
  local where, problem, host, port = find(self)
  if not where then return drop(self, problem) end
  self.socket = sockets.open(host, port)
  if not self.socket then return drop(self, "no socket can be made") end
  self.said, self.stage, self.since, self.heard, self.pinged = where, "greeting", now, now, false
end

local function log_in(self, public, signature)
  local says = { verbose = false, pedantic = false, lang = "luajit", version = "1.0", protocol = 1, name = self.host }
  says.headers, says.no_responders, says.echo = true, true, false
  says.nkey, says.sig = public, signature
  if self.said.token then says.auth_token = self.said.token end
  if self.said.user then says.user, says.pass = self.said.user, self.said.password end
  self.unsent = "CONNECT " .. json.encode(says) .. "\r\nPING\r\n"
  self.stage, self.signing = "login", nil
end

local function greeted_by(self, text)
  local info = json.decode(text)
  if type(info) ~= "table" then return drop(self, "this server does not speak NATS") end
  if info.tls_required then return drop(self, "the server demands TLS, which LuaJIT has not") end
  if not self.said.seed or type(info.nonce) ~= "string" then return log_in(self) end
  self.stage = "signing"
  self.signing = coroutine.create(function()
    return require("callboard_nkey").sign(self.said.seed, info.nonce, coroutine.yield)
  end)
end

local function sign(self, until_)
  repeat
    local well, public, signature = coroutine.resume(self.signing)
    if coroutine.status(self.signing) == "dead" then
      if not well or not public then return drop(self, tostring(signature or public)) end
      return log_in(self, public, signature)
    end
  until sockets.now() > until_
end

local function told(self, line) -- the server's own words
  if line:find("^INFO ") then
    if self.stage == "greeting" then greeted_by(self, line:sub(6)) end
  elseif line == "PING" then
    self.unsent = self.unsent .. "PONG\r\n"
  elseif line == "PONG" then
    if self.stage == "login" then
      self.stage, self.problem, self.wait, self.hello_at, self.tell_at = "ready", "", 0.1, 0, 0
      self.unsent = self.unsent .. "SUB " .. self.inbox .. ".* 1\r\nSUB cb.do." .. self.host .. " 2\r\n"
    end
  elseif line:find("^%-ERR") then
    local denied = line:lower():find("permissions violation", 1, true)
    if not denied then drop(self, "the server says " .. line:sub(6, 200)) end
  elseif line ~= "+OK" then
    drop(self, "this server does not speak NATS")
  end
end

local function took(self, number) -- the stream has an event
  local event = self.queue[number]
  if not event then return end
  self.queue[number], self.queued = nil, self.queued - #event.line
  while self.first <= self.last and not self.queue[self.first] do self.first = self.first + 1 end
  if self.first > self.last and self.file then self.file:empty() end
end

local function answered(self, kind, number, headers, body)
  local said = body and json.decode(body)
  if kind == "e" then
    if type(said) == "table" and type(said.seq) == "number" and said.error == nil then return took(self, number) end
    self.sent_to, self.resend_at = self.first - 1, sockets.now() + 1 -- later, with the same id
    return
  end
  local question = self.asked[number]
  if not question then return end
  self.asked[number] = nil
  if headers:find("^NATS/1.0 503") then return call(question.callback, nil, NOBODY) end
  if type(said) ~= "table" then return call(question.callback, nil, "the answer cannot be read") end
  local problem = tostring(said.message or "") .. " " .. tostring(said.hint or "")
  if (said.code or "") ~= "" or (said.message or "") ~= "" then return call(question.callback, nil, problem) end
  call(question.callback, said.value, "")
end

local function message(self, line) -- a message's line; gives whether all of it was there
  local words = {}
  for word in line:gmatch("%S+") do words[#words + 1] = word end
  local headed = words[1] == "HMSG"
  local total, head = tonumber(words[#words]), headed and tonumber(words[#words - 1]) or 0
  if #words < (headed and 5 or 4) or not total or not head or total < head or head < 0 or total > 64 * 1024 * 1024 then
    drop(self, "this server does not speak NATS")
    return true
  end
  local start = self.at + #line + 2
  if total > MAX_PAYLOAD then -- thrown away as it comes
    self.skip, self.at = total + 2, start
    return true
  end
  if #self.unread < start + total + 1 then return false end
  local text = self.unread:sub(start, start + total - 1)
  self.at = start + total + 2
  local kind, number = words[2]:match("%.([eq])(%d+)$")
  if words[2]:sub(1, #self.inbox) == self.inbox then
    if kind then answered(self, kind, tonumber(number), text:sub(1, head), text:sub(head + 1)) end
  else
    ordered(self, text:sub(head + 1))
  end
  return true
end

local function hear(self, until_)
  self.at = 1
  repeat
    if self.skip > 0 then
      local gone = math.min(self.skip, #self.unread - self.at + 1)
      self.skip, self.at = self.skip - gone, self.at + gone
      if self.skip > 0 then break end
    end
    local stop = self.unread:find("\r\n", self.at, true)
    if not stop or stop - self.at >= MAX_LINE then
      if #self.unread - self.at >= MAX_LINE then drop(self, "this server does not speak NATS") end
      break
    end
    local line = self.unread:sub(self.at, stop - 1)
    if line:find("^H?MSG ") and self.stage == "ready" then
      if not message(self, line) then break end
    else
      self.at = stop + 2
      told(self, line)
    end
  until sockets.now() > until_ or self.stage == "closed" or self.stage == "signing"
  self.unread = self.unread:sub(self.at) -- all at once: each copy is as long as what waits
end

local function pump(self, now)
  local function room() return self.sent_to - self.first < WINDOW and #self.unsent < ROOM and now >= self.resend_at end
  while self.sent_to < self.last and room() do
    self.sent_to = math.max(self.sent_to, self.first - 1) + 1
    local event = self.queue[self.sent_to]
    if event then
      send(self, "cb.in." .. event.kind, event.line, self.inbox .. ".e" .. self.sent_to, event.id)
      self.sent_at = now
    end
  end
  for number, question in pairs(self.asked) do
    local first = question.verb == "hello" or question.verb == "ping" -- the board answers those it knows
    if question.body and not question.sent and (self.greeted or first) and #self.unsent < ROOM then
      send(self, "cb.ctl.host." .. question.verb, question.body, self.inbox .. ".q" .. number)
      question.sent = true
    end
  end
end

local function tick(self, now)
  give_up(self, function(question)
    if not question.body then return "the question cannot be asked: it is no JSON, or too long" end
    if now > question.deadline and question.sent then return NOBODY end
    local unknown = not self.greeted and self.problem ~= "" and question.verb ~= "hello"
    if now > question.deadline or (not question.sent and (self.stage == "closed" or unknown)) then
      return self.problem ~= "" and self.problem or "there is no connection"
    end
  end)
  if self.stage ~= "ready" then
    if self.stage ~= "closed" and now - self.since > LOGIN then drop(self, "the server does not answer") end
    return
  end
  if now - self.heard > SILENT then return drop(self, "the server fell silent") end
  if now - self.heard > SILENT - 10 and not self.pinged then
    self.pinged, self.unsent = true, self.unsent .. "PING\r\n"
  end
  if self.first <= self.sent_to and now - self.sent_at > ACK then self.sent_to, self.sent_at = self.first - 1, now end
  if now >= self.hello_at then greet(self, now) end
  if now >= self.tell_at then
    self.tell_at = now + PRESENCE
    tell(self, "online")
  end
end

local function work(self)
  local now = sockets.now()
  if self.stage == "closed" and now >= self.retry_at then connect(self, now) end
  if self.stage == "signing" then sign(self, now + 0.0035) end
  if self.socket and #self.unread < UNREAD then
    local text, problem = sockets.receive(self.socket)
    if text then
      self.unread, self.heard, self.pinged = self.unread .. text, now, false
    elseif problem then
      hear(self, now + 0.002)
      if self.socket then return drop(self, problem) end
    end
  end
  if self.socket and self.stage ~= "signing" and self.unread ~= "" then hear(self, now + 0.002) end
  if self.stage == "ready" then pump(self, now) end
  if now >= self.tick_at then
    self.tick_at = now + TICK
    tick(self, now)
  end
  if self.socket and self.unsent ~= "" then
    local sent = sockets.send(self.socket, self.unsent)
    if not sent or #self.unsent > 1048576 then return drop(self, "the connection was lost") end
    self.unsent = self.unsent:sub(sent + 1)
  end
end

function Bridge:poll() -- call it from the script's own loop; never raises
  if self.closed or self.busy then return end
  self.busy = true
  local well, problem = pcall(work, self)
  if not well then pcall(drop, self, tostring(problem)) end
  self.busy = false
end

function Bridge:state()
  if self.stage == "ready" and self.greeted then return "online" end
  return self.stage == "closed" and "offline" or "connecting"
end

function Bridge:close() -- last words; what was not taken stays in the outbox
  if self.closed then return end
  pcall(function()
    if self.stage == "ready" then
      tell(self, "offline")
      local until_ = sockets.now() + 0.04
      repeat work(self) until (self.unsent == "" and self.first > self.last) or sockets.now() > until_
    end
  end)
  self.closed = true
  if self.socket then sockets.close(self.socket) end
  if self.file then self.file:close(self.first > self.last) end
end

local function new(application, version, capabilities, host)
  local self = setmetatable({
    application = application, version = version, capabilities = {}, takes = {}, roots = {},
    project = "", revision = "",
    host = host or slug(application) .. "-" .. sockets.random(3), inbox = "_INBOX.host." .. sockets.random(11),
    problem = "", stage = "closed", unsent = "", unread = "", skip = 0, at = 1, turn = 0,
    number = 0, asked = {}, known = {},
    retry_at = 0, wait = 0.1, tick_at = 0, tell_at = 0, hello_at = 0, resend_at = 0, sent_at = 0,
    queue = {}, queued = 0, first = 1, last = 0, sent_to = 0,
  }, Bridge)
  for _, verb in ipairs(capabilities or {}) do
    if guard.VERBS[verb] then self.takes[verb], self.capabilities[#self.capabilities + 1] = true, verb end
  end
  return self
end

local function load(self) -- what a script left that ended before the board came
  self.file = sockets.spool(self.outbox, slug(self.application), true)
  for _, line in ipairs(self.file and self.file.lines or {}) do
    local event = json.decode(line)
    local known = type(event) == "table" and tostring(event.id):find("^[%w-]+$")
    if known and tostring(event.type):find("^host%.[a-z0-9_.]+$") then
      self.last = self.last + 1
      self.queue[self.last], self.queued = { id = event.id, kind = event.type, line = line }, self.queued + #line
    end
  end
  return self
end

-- The board of the Callboard project in a folder; where it listens is looked up at each try.
function M.for_project(folder, application, version, capabilities, host)
  local self = new(application, version, capabilities, host)
  self.folder, self.outbox = folder, folder .. "/.callboard/hosts/outbox"
  return load(self)
end

-- A server by its address: where is { url =, seed = or token = or user =, password = }, roots and outbox are folders.
function M.connect(where, application, version, capabilities, host, roots, outbox)
  local self = new(application, version, capabilities, host)
  self.where, self.roots, self.outbox = where, roots or {}, outbox
  return load(self)
end

return M
