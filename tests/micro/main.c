/* Each micro-kernel of one table against plain loops; see check.h.  Exits with 1 if a case fails or if a kernel has no case. */
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

enum { ROOMS = 24, ROOM = 1 << 20, CONTEXT = 300, MOST_FAILURES = 20 };

static char *rooms[ROOMS], context[CONTEXT];
static int taken, at_front, failures, failed;
static long cases;
static uint64_t state = 88172645463325252u;

/* Pointers of the table follow its sizes. */
enum { SIZES = offsetof(fc_table, nr) + sizeof(ptrdiff_t), POINTERS = (sizeof(fc_table) - SIZES) / sizeof(void *) };
static char seen[POINTERS];

static const void *const *pointers(void) { return (const void *const *)((const char *)T + SIZES); }

void used(const void *function)
{
    for (int i = 0; i < POINTERS; i++)
        if (pointers()[i] == function) seen[i] = 1;
}

void fail(const char *what)
{
    if (failed) return; /* once for each case */
    failed = 1;
    printf("FAILED %s: %s\n", context, what);
    if (++failures == MOST_FAILURES) exit(1);
}

void begin(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    taken = failed = 0;
    cases++;
}

void *room(size_t bytes)
{
    enum { MARGIN = 256 };
    if (taken == ROOMS || bytes > ROOM) {
        fail("no room");
        exit(1);
    }
    char *start = rooms[taken++], *p = at_front ? start : start + ROOM - bytes;
    char *low = p - start < MARGIN ? start : p - MARGIN, *high = start + ROOM - p < (ptrdiff_t)bytes + MARGIN ? start + ROOM : p + bytes + MARGIN;
    memset(low, 0xff, (size_t)(high - low));
    return p;
}

REAL *nothing(ptrdiff_t n) { return room((size_t)n * sizeof(REAL)); }

ptrdiff_t draw(ptrdiff_t low, ptrdiff_t high)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return low + (ptrdiff_t)((state >> 11) % (uint64_t)(high - low + 1));
}

REAL *numbers(ptrdiff_t n)
{
    REAL *x = nothing(n);
    for (ptrdiff_t i = 0; i < n; i++) x[i] = (REAL)draw(-3, 3);
    return x;
}

REAL *copied(const REAL *x, ptrdiff_t n) { return memcpy(nothing(n), x, (size_t)n * sizeof(REAL)); }

void spoil(REAL *x, ptrdiff_t n)
{
    static const REAL odd[] = {NAN, INFINITY, -INFINITY};
    for (ptrdiff_t i = 0; i < n / 16 + 1; i++) x[draw(0, n - 1)] = odd[draw(0, 2)];
}

void close_to(REAL got, WIDE want, WIDE slack)
{
    char what[100];
    if (got == want || (got != got && want != want) || W(fabs)(got - want) <= slack) return;
    snprintf(what, sizeof what, "%.17g in place of %.17g", (double)got, (double)want);
    fail(what);
}

void same(const REAL *got, const REAL *want, ptrdiff_t n)
{
    char what[120];
    for (ptrdiff_t i = 0; i < n; i++)
        if (got[i] != want[i] && (got[i] == got[i] || want[i] == want[i])) {
            snprintf(what, sizeof what, "%.17g in place of %.17g at %td of %td", (double)got[i], (double)want[i], i, n);
            fail(what);
            return;
        }
}

void same_index(const int64_t *got, const int64_t *want, ptrdiff_t n)
{
    char what[100];
    for (ptrdiff_t i = 0; i < n; i++)
        if (got[i] != want[i]) {
            snprintf(what, sizeof what, "index %lld in place of %lld at %td", (long long)got[i], (long long)want[i], i);
            fail(what);
            return;
        }
}

static void out_of_bounds(int number)
{
    (void)number;
    static const char text[] = " reads or writes out of bounds\n";
    ssize_t done = write(1, context, strlen(context)) + write(1, text, sizeof text - 1);
    _exit(done > 0 ? 1 : 2);
}

static void make_rooms(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *all = mmap(NULL, ROOMS * (ROOM + page) + page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) exit(2);
    for (int i = 0; i < ROOMS; i++) {
        rooms[i] = all + page + (size_t)i * (ROOM + page);
        if (mprotect(rooms[i], ROOM, PROT_READ | PROT_WRITE)) exit(2);
    }
}

#if FC_STORED == FC_AS_IS
REAL real(STORED v) { return v; }
STORED stored(REAL v) { return v; }
#elif FC_STORED == FC_FLOAT16
REAL real(STORED v)
{
    _Float16 h;
    memcpy(&h, &v, sizeof h);
    return (REAL)h;
}

STORED stored(REAL v)
{
    const _Float16 h = (_Float16)v;
    STORED s;
    memcpy(&s, &h, sizeof s);
    return s;
}
#else
REAL real(STORED v)
{
    const uint32_t bits = (uint32_t)v << 16;
    REAL r;
    memcpy(&r, &bits, sizeof r);
    return r;
}

STORED stored(REAL v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return (STORED)(bits >> 16);
}
#endif

void near(STORED got, WIDE want, WIDE slack) { close_to(real(got), want, slack + STORED_EPS * W(fabs)(want) + STORED_TINY); }

int main(void)
{
    signal(SIGSEGV, out_of_bounds);
    make_rooms();
    for (at_front = 0; at_front < 2; at_front++) {
        check_functions();
        check_pools();
        check_softmax();
        if (FC_STORED != FC_AS_IS) continue;
        check_tiles();
        check_rows();
        check_depthwise();
        check_last();
        check_weight_rows();
        check_small_images();
        check_winograd();
        check_halves();
        check_filter();
        begin("peak");
        if (!(USE(T->peak)(1) > 0)) fail("no operations");
    }
    int kernels = 0;
    for (int i = 0; i < POINTERS; i++) {
        kernels += pointers()[i] != NULL;
        begin("kernel at %d of the table", i);
        if (pointers()[i] && !seen[i]) fail("no case");
    }
    printf("%d kernels of %td x %td tiles of %td bytes: %ld cases, %d failed\n", kernels, T->mr, T->nr, T->itemsize, cases,
           failures);
    return failures != 0;
}
