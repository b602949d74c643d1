/* carebus-bloodbank: the blood bank's process. */
#include "bloodbank.h"

int main(int argc, char *argv[])
{
	return worker_main(&bloodbank, argc, argv);
}
