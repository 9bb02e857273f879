-- JSON for LuaJIT; decode gives nil for what is none, and for what is nested too deep.
-- SPDX-License-Identifier: Apache-2.0
local bit = require("bit")
local M = {}
local MAX_DEPTH = 64
local Array, Object = {}, {}
local WORDS = { ["true"] = true, ["false"] = false, ["null"] = M }
local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

function M.array(values) -- marks a list, which an empty one needs
  local list = {}
  for i, value in ipairs(values or {}) do list[i] = tostring(value) end
  return setmetatable(list, Array)
end

function M.object() return setmetatable({}, Object) end

local function quote(text)
  return '"' .. text:gsub('[%c"\\]', function(letter) return ("\\u%04x"):format(letter:byte()) end) .. '"'
end

local function write(value, out, depth)
  local kind = type(value)
  assert(depth < MAX_DEPTH, "nested too deep")
  if kind == "string" then
    out[#out + 1] = quote(value)
  elseif kind == "number" then
    assert(value == value and value < math.huge and value > -math.huge, "no number of JSON")
    out[#out + 1] = value % 1 == 0 and ("%.0f"):format(value) or ("%.17g"):format(value)
  elseif kind == "boolean" then
    out[#out + 1] = tostring(value)
  elseif kind == "table" then
    local list = getmetatable(value) == Array or (#value > 0 and getmetatable(value) ~= Object)
    out[#out + 1] = list and "[" or "{"
    local first = true
    for key, one in (list and ipairs or pairs)(value) do
      if not first then out[#out + 1] = "," end
      first = false
      if not list then out[#out + 1] = quote(tostring(key)) .. ":" end
      write(one, out, depth + 1)
    end
    out[#out + 1] = list and "]" or "}"
  else
    error("no value of JSON: " .. kind)
  end
end

function M.encode(value) -- nil for what JSON cannot say
  local out = {}
  return pcall(write, value, out, 0) and table.concat(out) or nil
end

local function utf8(code)
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then return string.char(0xC0 + bit.rshift(code, 6), 0x80 + code % 64) end
  if code < 0x10000 then
    return string.char(0xE0 + bit.rshift(code, 12), 0x80 + bit.rshift(code, 6) % 64, 0x80 + code % 64)
  end
  local high, middle = bit.rshift(code, 12), bit.rshift(code, 6)
  return string.char(0xF0 + bit.rshift(code, 18), 0x80 + high % 64, 0x80 + middle % 64, 0x80 + code % 64)
end

local function unquote(text)
  text = text:gsub("\\u[dD]([89abAB]%x%x)\\u[dD]([c-fC-F]%x%x)", function(high, low)
    return utf8(0x10000 + (tonumber(high, 16) - 0x800) * 1024 + tonumber(low, 16) - 0xC00)
  end)
  return (text:gsub("\\(u?)(.)(%x?%x?%x?)", function(u, letter, rest)
    if u == "u" and #rest == 3 then return utf8(tonumber(letter .. rest, 16) or error("no escape")) end
    if u == "u" then error("no escape") end
    return (ESCAPES[letter] or error("no escape")) .. rest
  end))
end

local function text_at(text, at) -- a string, whose opening quote is at *at*
  local from = at + 1
  while true do
    local stop = text:find('["\\]', from) or error("no end")
    if text:byte(stop) == 34 then
      local inner = text:sub(at + 1, stop - 1)
      return inner:find("\\", 1, true) and unquote(inner) or inner, stop + 1
    end
    from = stop + 2
  end
end

local value_at

local function members(text, at, depth, close, read)
  at = text:match("^%s*()", at + 1)
  if text:sub(at, at) == close then return at + 1 end
  while true do
    at = text:match("^%s*()", read(at))
    local mark = text:sub(at, at)
    if mark == close then return at + 1 end
    assert(mark == ",", "no comma")
    at = text:match("^%s*()", at + 1)
  end
end

function value_at(text, at, depth)
  assert(depth < MAX_DEPTH, "nested too deep")
  local mark = text:sub(at, at)
  if mark == '"' then return text_at(text, at) end
  if mark == "[" then
    local list, count = setmetatable({}, Array), 0
    return list, members(text, at, depth, "]", function(start)
      local value, stop = value_at(text, start, depth + 1)
      count = count + 1
      if value ~= M then list[count] = value end
      return stop
    end)
  end
  if mark == "{" then
    local object = setmetatable({}, Object)
    return object, members(text, at, depth, "}", function(start)
      assert(text:sub(start, start) == '"', "no name")
      local name, stop = text_at(text, start)
      stop = text:match("^%s*:%s*()", stop) or error("no colon")
      local value, last = value_at(text, stop, depth + 1)
      if value ~= M then object[name] = value end
      return last
    end)
  end
  local word, stop = text:match("^([%w.+-]+)()", at)
  if word and WORDS[word] ~= nil then return WORDS[word], stop end
  local number = word and #word < 40 and word:find("^-?%d") and tonumber(word)
  return number or error("no value"), stop
end

function M.decode(text)
  local well, value, stop = pcall(function()
    local value, stop = value_at(text, text:match("^%s*()"), 0)
    return value, stop
  end)
  if not well or value == M or text:find("%S", stop) then return nil end
  return value
end

return M
