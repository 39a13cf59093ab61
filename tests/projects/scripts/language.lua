-- Checks of the language itself: each check compares with a value known beforehand.
local checks = 0
local function check(got, expected, what)
  checks = checks + 1
  if got ~= expected then
    error(("%s: %s instead of %s"):format(what, tostring(got), tostring(expected)), 2)
  end
end

-- Integer and float arithmetic.
check(7 // 2, 3, "floor division")
check(-7 // 2, -4, "floor division of a negative number")
check(-7 % 3, 2, "modulo of a negative number")
check(7.5 // 2, 3.0, "floor division of floats")
check(-5.5 % 2, 0.5, "modulo of floats")
check(1 << 63, math.mininteger, "shift to the sign bit")
check(1 << 64, 0, "shift by all bits")
check(-1 >> 60, 15, "logical shift right")
check(0xF0 ~ 0xFF, 15, "exclusive or")
check(~0, -1, "complement")
check(math.maxinteger + 1, math.mininteger, "wraparound")
check(math.maxinteger * 2, -2, "wraparound of a product")
check(2^10, 1024.0, "power")
check(10 / 4, 2.5, "division")
check(1e308 * 10, math.huge, "overflow")
check(0/0 ~= 0/0, true, "not a number")
check(3 == 3.0, true, "integer and float of one value")
check("10" + 5, 15, "string to number")
check(#"abc" .. 1, "31", "precedence of length")
check(2^3^2, 512.0, "associativity of power")
check(not nil == true, true, "precedence of not")

-- Control.
local sum = 0
for i = 10, 1, -3 do sum = sum + i end
check(sum, 22, "loop downwards")
sum = 0
for i = 1.0, 2.0, 0.25 do sum = sum + i end
check(sum, 7.5, "loop of floats")
local count = 0
for _ = math.maxinteger - 1, math.maxinteger do count = count + 1 end
check(count, 2, "loop that ends at the largest integer")
local i = 1
repeat
  local done = i >= 5
  i = i + 1
until done
check(i, 6, "repeat sees its locals")
do
  local n = 0
  ::again::
  n = n + 1
  if n < 4 then goto again end
  check(n, 4, "goto")
end

-- Functions, closures, varargs, tail calls.
local function counter()
  local n = 0
  return function() n = n + 1; return n end, function() return n end
end
local up, value = counter()
up(); up()
check(value(), 2, "shared upvalue")
local function pack(...) return select("#", ...), ... end
check((pack(nil, nil, nil)), 3, "varargs keep nil")
local function down(n, acc) if n == 0 then return acc end return down(n - 1, acc + n) end
check(down(100000, 0), 5000050000, "tail calls")
local made = {}
for n = 1, 3 do made[n] = function() n = n + 10; return n end end
check(made[1]() + made[1]() + made[2](), 11 + 21 + 12, "a fresh local for each turn")

-- Metatables.
local Vector = {}
Vector.__index = Vector
Vector.__add = function(a, b) return setmetatable({a[1] + b[1], a[2] + b[2]}, Vector) end
Vector.__eq = function(a, b) return a[1] == b[1] and a[2] == b[2] end
Vector.__lt = function(a, b) return a[1] < b[1] end
Vector.__le = function(a, b) return a[1] <= b[1] end
Vector.__len = function() return 2 end
Vector.__call = function(self, k) return self[k] end
Vector.__concat = function(a, b) return tostring(a) .. "&" .. tostring(b) end
Vector.__tostring = function(v) return "(" .. v[1] .. "," .. v[2] .. ")" end
Vector.__unm = function(v) return setmetatable({-v[1], -v[2]}, Vector) end
Vector.__idiv = function() return "idiv" end
Vector.__band = function() return "band" end
local a, b = setmetatable({1, 2}, Vector), setmetatable({3, 4}, Vector)
check(tostring(a + b), "(4,6)", "__add")
check(a + b == setmetatable({4, 6}, Vector), true, "__eq")
check(a < b and a <= b, true, "__lt and __le")
check(#a, 2, "__len")
check(b(2), 4, "__call")
check(a .. b, "(1,2)&(3,4)", "__concat")
check(tostring(-a), "(-1,-2)", "__unm")
check(a // b, "idiv", "__idiv")
check(a & 1, "band", "__band")
local log = {}
local proxy = setmetatable({}, {
  __index = function(_, k) return k .. "?" end,
  __newindex = function(t, k, v) rawset(t, k, v * 2) end,
})
check(proxy.missing, "missing?", "__index as a function")
proxy.x = 21
check(proxy.x, 42, "__newindex")

-- Errors and to-be-closed variables.
local ok, message = pcall(error, {code = 7})
check(ok, false, "pcall catches")
check(message.code, 7, "error values are any values")
ok, message = pcall(function() local t = nil; return t.field end)
check(message:find("attempt to index a nil value %(local 't'%)") ~= nil, true, "error names the variable")
ok, message = xpcall(function() error("deep", 0) end, function(m) return m .. "!" end)
check(message, "deep!", "message handler")
do
  local closed = setmetatable({}, {__close = function() log[#log + 1] = "closed" end})
  pcall(function() local guard <close> = closed; error("leave") end)
  check(log[1], "closed", "to-be-closed variable")
end
local limit <const> = 5
check(limit, 5, "constant")

-- Coroutines.
local generator = coroutine.wrap(function(first)
  local got = first
  while got do got = coroutine.yield(got * got) end
  return "end"
end)
check(generator(3), 9, "resume passes a value in")
check(generator(4), 16, "yield passes a value out")
check(generator(nil), "end", "the coroutine returns")
local thread = coroutine.create(function() error("inside") end)
check((coroutine.resume(thread)), false, "an error ends a coroutine")
check(coroutine.status(thread), "dead", "status after an error")
thread = coroutine.create(function() pcall(coroutine.yield, 1); coroutine.yield(2) end)
check(select(2, coroutine.resume(thread)), 1, "yield across pcall")
check(select(2, coroutine.resume(thread)), 2, "and again")
check(coroutine.close(thread), true, "close a suspended coroutine")

-- Garbage collection.
local weak = setmetatable({}, {__mode = "k"})
for _ = 1, 100 do weak[{}] = true end
collectgarbage("collect")
check(next(weak), nil, "weak keys are collected")
local finalised = 0
for _ = 1, 50 do setmetatable({}, {__gc = function() finalised = finalised + 1 end}) end
collectgarbage("collect")
check(finalised, 50, "finalisers run")
collectgarbage("generational")
local kept = {}
for n = 1, 20000 do kept[n % 100 + 1] = {n, tostring(n)} end
check(kept[1][2], "20000", "generational mode keeps what is reachable")
collectgarbage("incremental")

print(("language: %d checks passed"):format(checks))
