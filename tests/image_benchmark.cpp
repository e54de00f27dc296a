// Placeholder
int main() {}
