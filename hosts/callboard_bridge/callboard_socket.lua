-- What LuaJIT has not of its own: sockets that never wait, a clock, random bytes, links followed, a locked outbox file.
-- Tried on Linux; macOS has the same calls, and the ones of Windows were never run. SPDX-License-Identifier: Apache-2.0
local ffi = require("ffi")
local M = {}
local WINDOWS, MAC = ffi.os == "Windows", ffi.os == "OSX"
local MAGIC, MAX_SPOOL = "callboard-outbox-1 ", 8 * 1024 * 1024
local HEADER = MAGIC .. ("%012d\n"):format(#MAGIC + 13)

ffi.cdef(MAC and "struct cb_address { uint8_t size, family; uint16_t port; uint32_t host; char zero[8]; };"
  or "struct cb_address { uint16_t family, port; uint32_t host; char zero[8]; };")
local net
if WINDOWS then
  ffi.cdef([[
    uintptr_t socket(int, int, int); int connect(uintptr_t, const struct cb_address *, int); int closesocket(uintptr_t);
    int send(uintptr_t, const char *, int, int); int recv(uintptr_t, char *, int, int); int WSAGetLastError(void);
    int ioctlsocket(uintptr_t, long, unsigned long *); int WSAStartup(uint16_t, void *);
    uint64_t GetTickCount64(void); uint8_t SystemFunction036(void *, unsigned long);
    char *_fullpath(char *, const char *, size_t); int _mkdir(const char *);
  ]])
  net = ffi.load("ws2_32")
  net.WSAStartup(0x202, ffi.new("char[512]"))
else
  ffi.cdef([[
    int socket(int, int, int); int connect(int, const struct cb_address *, uint32_t); int close(int);
    long send(int, const char *, size_t, int); long recv(int, char *, size_t, int); int fcntl(int, int, ...);
    int gettimeofday(long *, void *); char *realpath(const char *, char *); void free(void *);
    int mkdir(const char *, unsigned int); int flock(int, int); int fileno(void *);
  ]])
  net = ffi.C
end
local AGAIN = { [11] = true, [107] = true } -- EAGAIN and ENOTCONN, which a connection that is being made may say
if WINDOWS then AGAIN = { [10035] = true, [10057] = true } elseif MAC then AGAIN = { [35] = true, [57] = true } end
local BUFFER = ffi.new("char[65536]")

local function failure() return WINDOWS and net.WSAGetLastError() or ffi.errno() end

function M.now() -- seconds; only differences count
  if WINDOWS then return tonumber(ffi.C.GetTickCount64()) / 1000 end
  local time = ffi.new("long[2]")
  ffi.C.gettimeofday(time, nil)
  return tonumber(time[0]) + tonumber(time[1] % 4294967296) / 1e6
end

function M.random(count) -- bytes, in hexadecimal
  local bytes
  if WINDOWS then
    local made = ffi.new("uint8_t[?]", count)
    ffi.load("advapi32").SystemFunction036(made, count)
    bytes = ffi.string(made, count)
  else
    local file = assert(io.open("/dev/urandom", "rb"))
    bytes = file:read(count)
    file:close()
  end
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

function M.read(path, most) -- a small file, or nil
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read(most)
  file:close()
  return text
end

function M.is_absolute(path)
  return path:find(WINDOWS and "^%a:[/\\]" or "^/") ~= nil
end

function M.real(path) -- with links followed as far as it exists; "" for what cannot be told
  if WINDOWS then
    local made = ffi.new("char[32768]")
    return ffi.C._fullpath(made, path, 32768) ~= nil and ffi.string(made):gsub("\\", "/"):lower() or ""
  end
  local rest = ""
  while true do
    local found = ffi.C.realpath(path, nil)
    if found ~= nil then
      local real = ffi.string(found)
      ffi.C.free(found)
      return rest == "" and real or (real == "/" and "" or real) .. rest
    end
    local parent, name = path:match("^(.*)/([^/]*)$")
    if ffi.errno() ~= 2 or not parent or name == ".." then return "" end -- only what is not there yet may be named
    if name ~= "" and name ~= "." then rest = "/" .. name .. rest end
    path = parent == "" and "/" or parent
  end
end

function M.open(host, port)
  local a, b, c, d = host:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
  if not a then return nil end
  local made = net.socket(2, 1, 0)
  if (WINDOWS and made == ffi.cast("uintptr_t", -1)) or (not WINDOWS and made < 0) then return nil end
  local address = ffi.new("struct cb_address")
  if MAC then address.size = ffi.sizeof(address) end
  address.family = 2
  ffi.cast("uint8_t *", address)[2], ffi.cast("uint8_t *", address)[3] = math.floor(port / 256), port % 256
  for i, part in ipairs({ a, b, c, d }) do ffi.cast("uint8_t *", address)[3 + i] = tonumber(part) end
  if WINDOWS then
    net.ioctlsocket(made, -2147195266, ffi.new("unsigned long[1]", 1))
  else
    net.fcntl(made, 4, ffi.cast("int", MAC and 4 or 2048)) -- F_SETFL, O_NONBLOCK
    net.fcntl(made, 2, ffi.cast("int", 1)) -- F_SETFD, FD_CLOEXEC
  end
  net.connect(made, address, ffi.sizeof(address)) -- a refusal shows when it is read
  return made
end

function M.close(made) if WINDOWS then net.closesocket(made) else net.close(made) end end

function M.receive(made) -- what came; nil for nothing; nil and why for the end
  local count = tonumber(net.recv(made, BUFFER, 65536, 0))
  if count > 0 then return ffi.string(BUFFER, count) end
  if count == 0 then return nil, "the server closed the connection" end
  local code = failure()
  if AGAIN[code] then return nil end
  return nil, (code == 111 or code == 61 or code == 10061) and "nobody listens there" or "the connection was lost"
end

function M.send(made, text) -- how many bytes went; nil for none ever again
  local quietly = ffi.os == "Linux" and 16384 or 0 -- MSG_NOSIGNAL
  local count = tonumber(net.send(made, text, math.min(#text, 65536), quietly))
  if count >= 0 then return count end
  return AGAIN[failure()] and 0 or nil
end

local Spool = {}
Spool.__index = Spool

function Spool:append(line)
  self.file:seek("end")
  self.file:write(line, "\n")
  self.file:flush()
end

function Spool:empty() -- the same file, so that the lock on it stays
  local file = io.open(self.path, "wb")
  if file then
    file:write(HEADER)
    file:close()
  end
end

function Spool:close(empty)
  if empty then os.remove(self.path) end
  self.file:close()
end

-- This application's outbox file, locked, with the lines that an ended script left in it; nil where there is none to
-- have. The Python bridge takes over what nobody locks, in the same format. With *only_old*, none is made.
function M.spool(folder, name, only_old)
  if not folder then return nil end
  if not WINDOWS and not only_old then
    ffi.C.mkdir(folder:match("^(.*)/") or folder, 448) -- 0700
    ffi.C.mkdir(folder, 448)
  end
  for attempt = 1, 4 do
    local path = ("%s/%s-lua-%d.events"):format(folder, name, attempt)
    local file = io.open(path, "r+b") or (not only_old and io.open(path, "w+b") or nil)
    if file and (WINDOWS or ffi.C.flock(ffi.C.fileno(file), 6) == 0) then -- LOCK_EX, LOCK_NB
      local text, lines = file:read(MAX_SPOOL) or "", {}
      local from = tonumber(text:match("^" .. MAGIC:gsub("%-", "%%-") .. "(%d+)\n"))
      for line in text:sub((from or #text) + 1):gmatch("([^\n]+)\n") do lines[#lines + 1] = line end
      local torn = text:sub(-1) ~= "\n"
      if text == "" then file:write(HEADER) elseif torn then file:write("\n") end
      file:flush()
      if text == "" or from then return setmetatable({ file = file, path = path, lines = lines }, Spool) end
    end
    if file then file:close() end
  end
end

return M
