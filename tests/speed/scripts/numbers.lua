-- Floating point: products of matrices and a pendulum.
local n, a, b = 90, {}, {}
for i = 1, n do
  a[i], b[i] = {}, {}
  for j = 1, n do a[i][j], b[i][j] = i / j, j - i end
end
local trace = 0
for i = 1, n do
  for j = 1, n do
    local sum = 0
    for k = 1, n do sum = sum + a[i][k] * b[k][j] end
    if i == j then trace = trace + sum end
  end
end
local x, v = 1, 0
for _ = 1, 2000000 do v = v - x * 0.001; x = x + v * 0.001 end
print(string.format("%.6f %.6f", trace, x))
