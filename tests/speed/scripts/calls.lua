-- Recursive calls, and closures.
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
local function counter() local n = 0 return function() n = n + 1 return n end end
local next, sum = counter(), 0
for _ = 1, 2000000 do sum = sum + next() end
print(fib(29), sum)
