import klient.ApiClient;

class Setup {
    static ApiClient client(String url) {
        return new ApiClient().setBasePath(url);
    }
}
