/* Integer arithmetic: wrap-around, shifts, division, rotates, 128 bits, checksums. */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>

static uint32_t crc(const unsigned char *p, int n) {
    uint32_t c = ~0u;
    while (n--) {
        c ^= *p++;
        for (int k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
    }
    return ~c;
}

static uint64_t rotate(uint64_t x, int r) { return x << (r & 63) | x >> (-r & 63); }
static int saturate(int a, int b) { int r; return __builtin_add_overflow(a, b, &r) ? (a < 0 ? INT_MIN : INT_MAX) : r; }
static int is_prime(unsigned n) {
    if (n < 2) return 0;
    for (unsigned d = 2; d * d <= n; d++) if (n % d == 0) return 0;
    return 1;
}

int main(void) {
    unsigned char data[100];
    for (int i = 0; i < 100; i++) data[i] = (unsigned char)(i * 7 ^ i >> 2);
    unsigned __int128 wide = (unsigned __int128)0xfedcba9876543210u * 0x123456789abcdefu;
    int primes = 0;
    for (unsigned n = 0; n < 500; n++) primes += is_prime(n);
    printf("%x %llx %d %d %llx %llx\n", crc(data, 100), (unsigned long long)rotate(0x8000000000000001u, 7),
           saturate(INT_MAX, 5), saturate(INT_MIN, -1), (unsigned long long)(wide >> 64), (unsigned long long)(wide / 97));
    for (int i = -7; i <= 7; i += 2) printf("%d %d %d %d,", i / 4, i % 4, i >> 1, (unsigned char)(i * 37));
    printf(" %d %d %d\n", primes, __builtin_popcountll(wide), __builtin_clz(primes));
    return primes;
}
