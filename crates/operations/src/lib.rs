//! Every operation of the platform, once. Knows no HTTP and no argument parser.
