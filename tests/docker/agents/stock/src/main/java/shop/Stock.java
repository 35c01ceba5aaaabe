package shop;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

@SpringBootApplication
@RestController
public class Stock {
    public static void main(String[] arguments) {
        SpringApplication.run(Stock.class, arguments);
    }

    @GetMapping("/stock/{id}")
    String stock(@PathVariable("id") int id) {
        return "{\"left\": " + id + "}";
    }
}
