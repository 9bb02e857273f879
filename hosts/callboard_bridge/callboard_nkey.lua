-- Logging in with an nkey from LuaJIT: the seed's Ed25519 signature (RFC 8032) of the server's nonce.
-- Field elements are 16 limbs of 16 bits in doubles, which are exact up to 2^53. SPDX-License-Identifier: Apache-2.0
local ffi, bit = require("ffi"), require("bit")
local band, bxor, bnot, ror, rshift = bit.band, bit.bxor, bit.bnot, bit.ror, bit.rshift
local M = {}

-- SHA-512 (FIPS 180-4); its constants are the roots of the first primes.
local ROUNDS = ffi.new("uint64_t[80]", {
  0x428a2f98d728ae22ULL, 0x7137449123ef65cdULL, 0xb5c0fbcfec4d3b2fULL, 0xe9b5dba58189dbbcULL, 0x3956c25bf348b538ULL,
  0x59f111f1b605d019ULL, 0x923f82a4af194f9bULL, 0xab1c5ed5da6d8118ULL, 0xd807aa98a3030242ULL, 0x12835b0145706fbeULL,
  0x243185be4ee4b28cULL, 0x550c7dc3d5ffb4e2ULL, 0x72be5d74f27b896fULL, 0x80deb1fe3b1696b1ULL, 0x9bdc06a725c71235ULL,
  0xc19bf174cf692694ULL, 0xe49b69c19ef14ad2ULL, 0xefbe4786384f25e3ULL, 0x0fc19dc68b8cd5b5ULL, 0x240ca1cc77ac9c65ULL,
  0x2de92c6f592b0275ULL, 0x4a7484aa6ea6e483ULL, 0x5cb0a9dcbd41fbd4ULL, 0x76f988da831153b5ULL, 0x983e5152ee66dfabULL,
  0xa831c66d2db43210ULL, 0xb00327c898fb213fULL, 0xbf597fc7beef0ee4ULL, 0xc6e00bf33da88fc2ULL, 0xd5a79147930aa725ULL,
  0x06ca6351e003826fULL, 0x142929670a0e6e70ULL, 0x27b70a8546d22ffcULL, 0x2e1b21385c26c926ULL, 0x4d2c6dfc5ac42aedULL,
  0x53380d139d95b3dfULL, 0x650a73548baf63deULL, 0x766a0abb3c77b2a8ULL, 0x81c2c92e47edaee6ULL, 0x92722c851482353bULL,
  0xa2bfe8a14cf10364ULL, 0xa81a664bbc423001ULL, 0xc24b8b70d0f89791ULL, 0xc76c51a30654be30ULL, 0xd192e819d6ef5218ULL,
  0xd69906245565a910ULL, 0xf40e35855771202aULL, 0x106aa07032bbd1b8ULL, 0x19a4c116b8d2d0c8ULL, 0x1e376c085141ab53ULL,
  0x2748774cdf8eeb99ULL, 0x34b0bcb5e19b48a8ULL, 0x391c0cb3c5c95a63ULL, 0x4ed8aa4ae3418acbULL, 0x5b9cca4f7763e373ULL,
  0x682e6ff3d6b2b8a3ULL, 0x748f82ee5defb2fcULL, 0x78a5636f43172f60ULL, 0x84c87814a1f0ab72ULL, 0x8cc702081a6439ecULL,
  0x90befffa23631e28ULL, 0xa4506cebde82bde9ULL, 0xbef9a3f7b2c67915ULL, 0xc67178f2e372532bULL, 0xca273eceea26619cULL,
  0xd186b8c721c0c207ULL, 0xeada7dd6cde0eb1eULL, 0xf57d4f7fee6ed178ULL, 0x06f067aa72176fbaULL, 0x0a637dc5a2c898a6ULL,
  0x113f9804bef90daeULL, 0x1b710b35131c471bULL, 0x28db77f523047d84ULL, 0x32caab7b40c72493ULL, 0x3c9ebe0a15c9bebcULL,
  0x431d67c49c100d4cULL, 0x4cc5d4becb3e42b6ULL, 0x597f299cfc657e2aULL, 0x5fcb6fab3ad6faecULL, 0x6c44198c4a475817ULL,
})
local START = {
  0x6a09e667f3bcc908ULL, 0xbb67ae8584caa73bULL, 0x3c6ef372fe94f82bULL, 0xa54ff53a5f1d36f1ULL,
  0x510e527fade682d1ULL, 0x9b05688c2b3e6c1fULL, 0x1f83d9abfb41bd6bULL, 0x5be0cd19137e2179ULL,
}

function M.sha512(text)
  local length = #text
  text = text .. "\128" .. ("\0"):rep((111 - length) % 128) .. ("\0"):rep(8)
  local bits = ffi.new("uint64_t", length) * 8
  for shift = 56, 0, -8 do text = text .. string.char(tonumber(band(rshift(bits, shift), 255))) end
  local state, w = ffi.new("uint64_t[8]", START), ffi.new("uint64_t[80]")
  for block = 0, #text / 128 - 1 do
    for i = 0, 15 do
      local word = 0ULL
      for j = 1, 8 do word = word * 256 + text:byte(block * 128 + i * 8 + j) end
      w[i] = word
    end
    for i = 16, 79 do
      local x, y = w[i - 15], w[i - 2]
      w[i] = w[i - 16] + bxor(ror(x, 1), ror(x, 8), rshift(x, 7))
      w[i] = w[i] + w[i - 7] + bxor(ror(y, 19), ror(y, 61), rshift(y, 6))
    end
    local a, b, c, d, e, f, g, h = state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]
    for i = 0, 79 do
      local s = h + bxor(ror(e, 14), ror(e, 18), ror(e, 41)) + bxor(band(e, f), band(bnot(e), g)) + ROUNDS[i] + w[i]
      local t = bxor(ror(a, 28), ror(a, 34), ror(a, 39)) + bxor(band(a, b), band(a, c), band(b, c))
      h, g, f, e, d, c, b, a = g, f, e, d + s, c, b, a, s + t
    end
    for i, value in ipairs({ a, b, c, d, e, f, g, h }) do state[i - 1] = state[i - 1] + value end
  end
  local out = {}
  for i = 0, 7 do
    for shift = 56, 0, -8 do out[#out + 1] = string.char(tonumber(band(rshift(state[i], shift), 255))) end
  end
  return table.concat(out)
end

-- Whole numbers as limbs of 16 bits, the lowest first, at index 0.
local function limbs(count) return ffi.new("double[?]", count) end

local function from_bytes(text)
  local n = limbs(#text / 2)
  for i = 0, #text / 2 - 1 do n[i] = text:byte(2 * i + 1) + 256 * text:byte(2 * i + 2) end
  return n
end

local function to_bytes(n, count)
  local out = {}
  for i = 0, count - 1 do out[#out + 1] = string.char(n[i] % 256, math.floor(n[i] / 256)) end
  return table.concat(out)
end

-- The field of 2^255 - 19: 2^256 is 38 there.
local function carry(n)
  local over = 0
  for i = 0, 15 do
    local value = n[i] + over
    over = math.floor(value / 65536)
    n[i] = value - over * 65536
  end
  n[0] = n[0] + 38 * over
end

local function field(value)
  local n = limbs(16)
  n[0] = value
  return n
end

local function plus(a, b) local n = limbs(16); for i = 0, 15 do n[i] = a[i] + b[i] end; carry(n); return n end
local function minus(a, b) local n = limbs(16); for i = 0, 15 do n[i] = a[i] - b[i] end; carry(n); return n end

local function times(a, b)
  local wide, n = limbs(31), limbs(16)
  for i = 0, 15 do
    local x = a[i]
    for j = 0, 15 do wide[i + j] = wide[i + j] + x * b[j] end
  end
  for i = 0, 14 do n[i] = wide[i] + 38 * wide[i + 16] end
  n[15] = wide[15]
  carry(n)
  carry(n)
  return n
end

local function invert(a) -- a^(p-2): all bits of p-2 but the second and the fourth are set
  local n = a
  for at = 253, 0, -1 do
    n = times(n, n)
    if at ~= 2 and at ~= 4 then n = times(n, a) end
  end
  return n
end

local P = limbs(16)
for i = 0, 15 do P[i] = 65535 end
P[0], P[15] = 65517, 32767

local function less(a, b, count)
  for i = count - 1, 0, -1 do
    if a[i] ~= b[i] then return a[i] < b[i] end
  end
  return false
end

local function take_away(a, b, count)
  local borrow = 0
  for i = 0, count - 1 do
    local value = a[i] - b[i] - borrow
    borrow = value < 0 and 1 or 0
    a[i] = value + borrow * 65536
  end
end

local function settle(n) -- the one way to write a field element
  for _ = 1, 4 do carry(n) end
  while not less(n, P, 16) do take_away(n, P, 16) end
  return n
end

local function number(hex) -- 64 digits, the highest first
  local bytes = hex:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end)
  return from_bytes(bytes:reverse())
end

local TWICE_D = number("2406d9dc56dffce7198e80f2eef3d13000e0149a8283b156ebd69b9426b2f159")
local BASE_X = number("216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51a")
local BASE_Y = number("6666666666666666666666666666666666666666666666666666666666666658")

local function add(p, q) -- points as X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z
  local a = times(minus(p[2], p[1]), minus(q[2], q[1]))
  local b = times(plus(p[2], p[1]), plus(q[2], q[1]))
  local c, d = times(times(p[4], TWICE_D), q[4]), times(plus(p[3], p[3]), q[3])
  local e, f, g, h = minus(b, a), minus(d, c), plus(d, c), plus(b, a)
  return { times(e, f), times(g, h), times(f, g), times(e, h) }
end

local function base_times(scalar, pause) -- 16 limbs; four bits between two pauses
  local table_of = { [0] = { field(0), field(1), field(1), field(0) } }
  local base = { BASE_X, BASE_Y, field(1), times(BASE_X, BASE_Y) }
  for i = 1, 15 do table_of[i] = add(table_of[i - 1], base) end
  local point = table_of[0]
  for at = 63, 0, -1 do
    for _ = 1, 4 do point = add(point, point) end
    local digit = math.floor(scalar[math.floor(at / 4)] / 16 ^ (at % 4)) % 16
    point = add(point, table_of[digit])
    pause()
  end
  local z = invert(point[3])
  pause()
  local x, y = settle(times(point[1], z)), settle(times(point[2], z))
  y[15] = y[15] + (x[0] % 2) * 32768
  return to_bytes(y, 16)
end

-- Numbers modulo the base point's order.
local ORDER = number("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed")

local function reduce(n, count) -- bit after bit, which is short and quick enough for two numbers a login
  local rest = limbs(16)
  for i = count - 1, 0, -1 do
    for shift = 15, 0, -1 do
      local over = math.floor(n[i] / 2 ^ shift) % 2
      for j = 0, 15 do
        local value = rest[j] * 2 + over
        over = math.floor(value / 65536)
        rest[j] = value - over * 65536
      end
      if not less(rest, ORDER, 16) then take_away(rest, ORDER, 16) end
    end
  end
  return rest
end

local function times_plus(a, b, c) -- a * b + c
  local wide = limbs(33)
  for i = 0, 15 do
    local over = 0
    for j = 0, 15 do
      local value = wide[i + j] + a[i] * b[j] + over
      over = math.floor(value / 65536)
      wide[i + j] = value - over * 65536
    end
    wide[i + 16] = wide[i + 16] + over
  end
  local over = 0
  for i = 0, 32 do
    local value = wide[i] + (i < 16 and c[i] or 0) + over
    over = math.floor(value / 65536)
    wide[i] = value - over * 65536
  end
  return reduce(wide, 33)
end

local LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
local LETTERS64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

local function regroup(values, from, to, letters) -- bits in groups of another size; the last group is filled up
  local out, held, bits = {}, 0, 0
  for _, value in ipairs(values) do
    held, bits = held * 2 ^ from + value, bits + from
    while bits >= to do
      bits = bits - to
      local digit = math.floor(held / 2 ^ bits)
      held = held - digit * 2 ^ bits
      out[#out + 1] = letters and letters:sub(digit + 1, digit + 1) or string.char(digit)
    end
  end
  if bits > 0 and letters then
    local digit = held * 2 ^ (to - bits)
    out[#out + 1] = letters:sub(digit + 1, digit + 1)
  end
  return table.concat(out)
end

local function crc16(text) -- polynomial 0x1021, from 0
  local crc = 0
  for i = 1, #text do
    crc = bxor(crc, text:byte(i) * 256)
    for _ = 1, 8 do crc = band(crc >= 32768 and bxor(crc * 2, 0x1021) or crc * 2, 65535) end
  end
  return string.char(crc % 256, math.floor(crc / 256))
end

function M.decode_seed(text) -- the 32 secret bytes of a user's seed, or nil and why not
  local values = {}
  for letter in text:gsub("%s", ""):gmatch(".") do
    local at = LETTERS:find(letter, 1, true)
    if not at then return nil, "the nkey seed is not base32" end
    values[#values + 1] = at - 1
  end
  local raw = #values == 58 and regroup(values, 5, 8) or ""
  if #raw ~= 36 or crc16(raw:sub(1, 34)) ~= raw:sub(35) then return nil, "the nkey seed is damaged" end
  if raw:sub(1, 2) ~= "\149\0" then return nil, "the nkey seed is not a user's: those begin with SU" end
  return raw:sub(3, 34)
end

-- Gives the public nkey and the signature for CONNECT, or nil and why not; calls pause between slices.
function M.sign(seed, nonce, pause)
  local secret, problem = M.decode_seed(seed)
  if not secret then return nil, problem end
  local hash = M.sha512(secret)
  local first, last = hash:byte(1), hash:byte(32)
  local scalar = string.char(first - first % 8) .. hash:sub(2, 31) .. string.char(last % 64 + 64)
  scalar = reduce(from_bytes(scalar), 16)
  local public = base_times(scalar, pause)
  local random = reduce(from_bytes(M.sha512(hash:sub(33) .. nonce)), 32)
  local commitment = base_times(random, pause)
  local challenge = reduce(from_bytes(M.sha512(commitment .. public .. nonce)), 32)
  local answer = to_bytes(times_plus(challenge, scalar, random), 16)
  local named = "\160" .. public
  local key, signature = { (named .. crc16(named)):byte(1, -1) }, { (commitment .. answer):byte(1, -1) }
  return regroup(key, 8, 5, LETTERS), regroup(signature, 8, 6, LETTERS64)
end

return M
