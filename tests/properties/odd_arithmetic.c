/* A machine whose floating point is wrong, preloaded into a process: results are rounded down, and
 * the functions of libm answer with another last bit. Nothing of the chain may depend on either.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fenv.h>
#include <math.h>

__attribute__((constructor)) static void begin(void) { fesetround(FE_DOWNWARD); }

#define ODD(name)                                                                  \
  double name(double x) {                                                          \
    static double (*real)(double);                                                 \
    if (real == 0) real = (double (*)(double))dlsym(RTLD_NEXT, #name);             \
    return nextafter(real(x), INFINITY);                                           \
  }

ODD(exp)
ODD(exp2)
ODD(log)
ODD(log2)
ODD(log10)
ODD(sqrt)
ODD(sin)
ODD(cos)
ODD(cbrt)

double pow(double x, double y) {
  static double (*real)(double, double);
  if (real == 0) real = (double (*)(double, double))dlsym(RTLD_NEXT, "pow");
  return nextafter(real(x, y), INFINITY);
}
