/* carebus-hospital: the hospital worker as a program. */
#include "hospital.h"

int main(int argc, char *argv[])
{
	return worker_main(&hospital, argc, argv);
}
