"""What compose/doctor looks at. Each check yields findings; it changes nothing."""
